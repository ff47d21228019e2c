{#
  Month and year of a date, in English whatever the server's locale.

  | day        | month_name(day) |
  | 2020-03-05 | March, 2020     |
  | 1999-12-31 | December, 1999  |
  | null       | null            |
#}
{% macro month_name(day) %}
  {% set names = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October',
    'November', 'December'] %}
  case extract(month from {{ day }})
    {% for name in names %}when {{ loop.index }} then concat('{{ name }}, ', extract(year from {{ day }}))
    {% endfor %}end
{%- endmacro %}
