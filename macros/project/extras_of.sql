{# The extra columns of a relation, as the end of a select list: one for each of extra_tags, then of extra_columns. #}
{% macro extras_of(relation) %}
  {%- for name in listed('extra_tags') + listed('extra_columns') %}
    , {{ relation }}.{{ adapter.quote(name) }}
  {%- endfor %}
{%- endmacro %}
