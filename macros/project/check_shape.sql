{#
  Problems with the variable shape: a copy in the DuckDB file that has another one. A server and Spark may hold the tables of
  several; there, check_columns.sql looks for those of the shape.
#}
{% macro faults_of_shape() %}{{ return(adapter.dispatch('faults_of_shape')()) }}{% endmacro %}

{% macro default__faults_of_shape() %}
  {{ return(['Only DuckDB can read a source of the shape ' ~ var('shape') ~ '.\nRemove --target ' ~ target.name]
    if shape().duckdb_only else []) }}
{% endmacro %}

{% macro spark__faults_of_shape() %}
  {% set faults = default__faults_of_shape() %}
  {% for table in incoming_copies() %}
    {% set accepted = load_relation(accepted_table(table)) %}
    {% if accepted and not is_copy_view(accepted) %}
      {% do faults.append('The schema has a ' ~ accepted.type ~ ' ' ~ accepted ~ ' that is not a copy of a source.\n'
        ~ 'Rename it, or set PROBESHEETS_SCHEMA to another schema.') %}
    {% endif %}
  {% endfor %}
  {% for kind in graph.exposures.values() if kind.config.meta and kind.config.meta.columns %}
    {% for id in kind.depends_on.nodes if graph.nodes[id] and graph.nodes[id].config.materialized == 'view' %}
      {% do faults.append('The kind ' ~ kind.name ~ ' reads ' ~ graph.nodes[id].name ~ ', a view, which has no files on Spark.\n'
        ~ "Begin its SQL with: {{ '{{' }} config(materialized='table') {{ '}}' }}") %}
    {% endfor %}
  {% endfor %}
  {{ return(faults) }}
{% endmacro %}

{% macro duckdb__faults_of_shape() %}
  {% if has_incoming_copy() %}{{ return([]) }}{% endif %}
  {% set copied = shape_of_copy() %}
  {% if copied is none and var('shape') != 'table_output' %}
    {{ return(["There is no copy of a source with the shape '" ~ shown(var('shape')) ~ "'.\n" ~ read_into_duckdb()]) }}
  {% elif copied not in [none, var('shape')] %}
    {% set vars = dict(invocation_args_dict.vars or {}, shape=copied) %}
    {{ return(['The copy of the source has the shape ' ~ copied ~ ', but the variable shape is ' ~ shown(var('shape'))
      ~ ".\nRun: dbt " ~ flags.WHICH ~ " --vars '" ~ tojson(vars) | replace("'", "'\\''") ~ "'"]) }}
  {% endif %}
  {{ return([]) }}
{% endmacro %}

{#
  The shape of the copy that the DuckDB file has: its first table has a comment. Without one, only table_output is a copy: the
  sample, or what somebody put there. A table answers without a comment is the user's own.
#}
{% macro shape_of_copy() %}
  {% set copied = run_query("select table_name from duckdb_tables() where database_name = current_database()"
    ~ " and schema_name = 'main' and comment is not null").columns[0].values() %}
  {% for name, meta in all_shapes().items() if first_table(meta) in copied %}{{ return(name) }}{% endfor %}
  {{ return('table_output' if load_relation(accepted_table('table_output')) else none) }}
{% endmacro %}

{# The other shapes whose tables the source has, each with the rows of its first table. #}
{% macro other_shapes() %}
  {% set found = [] %}
  {% for name, meta in all_shapes().items() if name != var('shape') and has_tables_of(meta) %}
    {% set rows = run_query('select count(*) as row_count from ' ~ accepted_table(first_table(meta))).rows[0][0] %}
    {% do found.append([name, first_table(meta), rows | int]) %}
  {% endfor %}
  {{ return(found) }}
{% endmacro %}

{% macro has_tables_of(meta) %}
  {% for table in meta.tables if table not in (meta.optional or []) and not load_relation(accepted_table(table)) %}
    {{ return(false) }}
  {% endfor %}
  {{ return(true) }}
{% endmacro %}
