{#
  A marked text without its links: each is replaced by a space, then the white space is tidied.

  | marked                         | without_links(marked) |
  | see {http://a.org/b}, {x.org}. | see , .               |
  | a {x.org} b{LF}{x.org}{LF}c    | a b{LF}{LF}c          |
#}
{% macro without_links(marked) %}{{ return(adapter.dispatch('without_links')(marked)) }}{% endmacro %}

{% macro default__without_links(marked) %}{{ return(tidy_spaces(links_as_spaces(marked))) }}{% endmacro %}

{# MariaDB's regexp_replace is quadratic in the matches, and MySQL's fails at about 300,000, so a long text goes in pieces. #}
{% macro mariadb__without_links(marked, longest=8192) %}
  {% set piece = without_text_marks(links_as_spaces(exact_text('pieces.piece'))) %}
  {{ return(tidy_spaces('case when char_length(' ~ marked ~ ') <= ' ~ longest ~ ' then ' ~ links_as_spaces(marked)
    ~ ' else ' ~ joined_pieces(marked, piece) ~ ' end')) }}
{% endmacro %}

{% macro mysql__without_links(marked) %}{{ return(mariadb__without_links(marked, 32767)) }}{% endmacro %}


{# A link goes with the spaces beside it, which leaves little to tidy. #}
{% macro links_as_spaces(marked) %}
  {% set mark = link_marks() %}
  {{ return(regex_replace(marked, ' ?' ~ mark.begin ~ '[^' ~ mark.end ~ ']*' ~ mark.end ~ ' ?', [' '])) }}
{% endmacro %}
