{# The extra tags and columns of a relation, as the end of a select list. #}
{% macro extras_of(relation) %}
  {%- for name in listed('extra_tags') + names_of_extra_columns() %}
    , {{ relation }}.{{ adapter.quote(name) }}
  {%- endfor %}
{%- endmacro %}
