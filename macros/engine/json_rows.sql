{#
  The servers' way to cut a text and to put one together, of any length and in order. json_rows(x): rows `pieces` of
  piece_number and piece, for a from clause; x holds a cut mark where it is to be cut. json_values_joined(json): the
  strings of json_objectagg(number, string) as one text, in the order of the numbers. group_concat has a limit.

  | json                     | json_values_joined(json) |
  | {"1": "a b", "2": " c"}  | a b c                    |
#}
{% macro json_rows(x) %}
  {% set strings = replace_marks('json_quote(' ~ x ~ ')', [(link_marks().cut, '","')]) %}
  {{ return("json_table(concat('[', " ~ strings ~ ", ']'), '$[*]' columns (piece_number for ordinality, "
    ~ "piece longtext character set utf8mb4 path '$')) as pieces") }}
{% endmacro %}

{# The values as an array: [ and ] off, the commas between them out. #}
{% macro json_values_joined(json) %}
  {% set strings = 'cast(json_extract(' ~ json ~ ", '$.*') as char)" %}
  {{ return("json_unquote(trim(trailing ']' from trim(leading '[' from replace(" ~ strings ~ ", '\", \"', ''))))") }}
{% endmacro %}
