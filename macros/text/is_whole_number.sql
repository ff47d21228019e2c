{#
  Whether a text is a whole number of at most 18 digits, which every engine can cast.

  | x     | is_whole_number(x) |
  | 120   | true               |
  | 0     | true               |
  | 5a    | false              |
  | -5    | false              |
  |       | false              |
  | 1234567890123456789 | false |
#}
{% macro is_whole_number(x) %}
  {{ return('(char_length(' ~ x ~ ') between 1 and 18 and ' ~ regex_replace(x, '[0-9]+', ['']) ~ " = '')") }}
{% endmacro %}
