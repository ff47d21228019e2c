{#
  A marked text as it was before mark_links. In the tables of link rules, { and } are the marks around a link.

  | marked                         | without_marks(marked)        |
  | see {http://a.org/b}, {x.org}. | see http://a.org/b, x.org.   |
#}
{% macro without_marks(marked) %}
  {% set mark = link_marks() %}
  {{ return(replace_marks(marked, [(mark.begin, ''), (mark.end, '')])) }}
{% endmacro %}
