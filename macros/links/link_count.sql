{#
  How many links a marked text has.

  | marked                         | link_count(marked) |
  | see {http://a.org/b}, {x.org}. | 2                  |
  | no link                        | 0                  |
#}
{% macro link_count(marked) %}
  {{ return('cast(char_length(' ~ marked ~ ') - char_length(replace(' ~ marked ~ ', '
    ~ text_literal(link_marks().begin) ~ ", '')) as " ~ integer_type() ~ ')') }}
{% endmacro %}
