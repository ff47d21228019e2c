{#
  The rows of a seed, for a from clause. There are none if its table has not been loaded: `dbt run` does not load seeds.
#}
{% macro loaded_seed(name) %}
  {% set seed = ref(name) %}
  {% if not execute or load_relation(seed) %}{{ return(seed) }}{% endif %}
  {% set columns = graph.nodes['seed.probesheets.' ~ name].config.column_types %}
  {{ return("(select '' as " ~ columns | join(", '' as ") ~ ' limit 0) as no_rows') }}
{% endmacro %}
