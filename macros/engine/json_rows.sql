{#
  How the servers cut a text and join the pieces again, in order and whatever the length (group_concat has a limit).
  json_rows(x) is the table `pieces`, with piece_number and piece, for a from clause; it cuts x at each cut mark.
  json_values_joined(json) joins the strings of json_objectagg(number, string) in the order of the numbers.

  | json                     | json_values_joined(json) on servers |
  | {"1": "a b", "2": " c"}  | a b c                               |
#}
{% macro json_rows(x) %}
  {% set strings = replace_marks(json_text(x), [(link_marks().cut, '","')]) %}
  {{ return("json_table(concat('[', " ~ strings ~ ", ']'), '$[*]' columns (piece_number for ordinality, "
    ~ "piece longtext character set utf8mb4 path '$')) as pieces") }}
{% endmacro %}

{# The values as an array, without its brackets and without the commas between them. #}
{% macro json_values_joined(json) %}
  {% set strings = 'cast(json_extract(' ~ json ~ ", '$.*') as char)" %}
  {{ return("json_unquote(trim(trailing ']' from trim(leading '[' from replace(" ~ strings ~ ", '\", \"', ''))))") }}
{% endmacro %}
