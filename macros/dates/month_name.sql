{# `March, 2020`: English whatever the server's locale. #}
{% macro month_name(day) %}
  {% set names = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October',
    'November', 'December'] %}
  case extract(month from {{ day }})
    {% for name in names %}when {{ loop.index }} then concat('{{ name }}, ', extract(year from {{ day }}))
    {% endfor %}end
{%- endmacro %}
