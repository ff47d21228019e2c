{#
  A marked text cut at the marks, as a JSON array: text, link, text, link, text. Every second one is a link. Null if there is
  no link.

  | marked                         | link_pieces(marked)                       |
  | see {http://a.org/b}, {x.org}. | ["see ","http://a.org/b",", ","x.org","."] |
  | {x.org}{LF}"a"                 | ["","x.org","\n\"a\""]                    |
  | no link                        | null                                      |
#}
{% macro link_pieces(marked) %}
  {% set mark, between = link_marks(), '","' %}
  {% set cut = replace_marks(json_text(marked), [(mark.begin, between), (mark.end, between)]) %}
  {{ return('case when ' ~ marked ~ ' like ' ~ text_literal('%' ~ mark.begin ~ '%') ~ " then concat('[', " ~ cut
    ~ ", ']') end") }}
{% endmacro %}
