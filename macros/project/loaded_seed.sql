{#
  The rows of a seed, for a from clause. There are none if its table has not been loaded: `dbt run` does not load seeds.
#}
{% macro loaded_seed(seed, columns) %}
  {% if not execute or load_relation(seed) %}{{ return(seed) }}{% endif %}
  {{ return("(select '' as " ~ columns | join(", '' as ") ~ ' limit 0) as no_rows') }}
{% endmacro %}
