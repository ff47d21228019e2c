{#
  How many links a marked text ({} here, see mark_links) holds.

  | marked                         | link_count(marked) |
  | see {http://a.org/b}, {x.org}. | 2                  |
#}
{% macro link_count(marked) %}
  {{ return('cast(char_length(' ~ marked ~ ') - char_length(replace(' ~ marked ~ ', '
    ~ text_literal(link_marks().begin) ~ ", '')) as " ~ integer_type() ~ ')') }}
{% endmacro %}
