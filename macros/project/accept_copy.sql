{#
  `probesheets run --source` puts its copy into tables whose names begin with incoming_, and sets PROBESHEETS_INCOMING for
  the build. The checks look at this copy, and only then does it replace the previous one: a source with a fault changes
  nothing. Other commands ignore these tables.
#}
{% macro accept_copy() %}{{ return(adapter.dispatch('accept_copy')()) }}{% endmacro %}

{% macro default__accept_copy() %}{% endmacro %}

{% macro duckdb__accept_copy() %}
  {% if has_incoming_copy() %}
    {% set named = run_query("select comment from duckdb_tables() where database_name = current_database()"
      ~ " and schema_name = 'main' and table_name = 'incoming_" ~ first_table(shape()) ~ "'").rows[0][0] %}
    {# One transaction with the row in the build log, so that no model can seem to be of the new copy. #}
    {% set replaced = all_shapes().get(shape_of_copy(), {}).get('tables', {}) | list + shape().tables | list %}
    {% call statement('accept_copy') %}
      {% for table in replaced | unique %}
        drop table if exists main.{{ table }};
        {% if load_relation(incoming_table(table)) %}
          alter table main.incoming_{{ table }} rename to {{ table }};
        {% endif %}
      {% endfor %}
    {% endcall %}
    {% do log_events([('copied', named or '', '')]) %}
    {% for table in replaced | unique %}
      {% set incoming, accepted = incoming_table(table), accepted_table(table) %}
      {% do adapter.cache_dropped(accepted) %}
      {% if load_relation(incoming) %}
        {% do adapter.cache_dropped(incoming) %}
        {% do adapter.cache_added(accepted.incorporate(type='table')) %}
      {% endif %}
    {% endfor %}
  {% endif %}
{% endmacro %}

{#
  On Spark, PROBESHEETS_INCOMING is JSON: {name: of the source, rows: of the first table or null, views: {table: SQL}}. The SQL
  reads Parquet files. The log comes first, so that no model can seem to be of the new copy.
#}
{% macro spark__accept_copy() %}
  {% if has_incoming_copy() %}
    {% set copies = incoming_copies() %}
    {% do log_events([('copied', offered_copy().name, '')]) %}
    {% for table in tables_of_all_shapes() %}
      {% set accepted = load_relation(accepted_table(table)) %}
      {% if table in copies %}
        {% do create_copy_view(accepted_table(table), copies[table]) %}
      {% elif accepted and is_copy_view(accepted) %}
        {% do adapter.drop_relation(accepted) %}
      {% endif %}
    {% endfor %}
    {% do withdraw_copy() %}
  {% endif %}
{% endmacro %}

{# Makes the views of an incoming copy, for the checks. #}
{% macro offer_copy() %}
  {% do run_query('create schema if not exists ' ~ target.schema) if incoming_copies() %}
  {% for table in tables_of_all_shapes() if incoming_copies() and load_relation(incoming_table(table)) %}
    {% do adapter.drop_relation(incoming_table(table).incorporate(type='view')) %}
  {% endfor %}
  {% for table, select in incoming_copies().items() %}
    {% do create_copy_view(incoming_table(table), select) %}
  {% endfor %}
{% endmacro %}

{% macro tables_of_all_shapes() %}
  {{ return(all_shapes().values() | map(attribute='tables') | map('list') | sum(start=[]) | unique | list) }}
{% endmacro %}

{# The comment says that a view is ours: `run --source` replaces and drops no other. #}
{% macro create_copy_view(relation, select) %}
  {% do run_query('create or replace view ' ~ relation ~ " comment 'probesheets run --source' as " ~ select) %}
  {% do adapter.cache_added(relation.incorporate(type='view')) if not load_relation(relation) %}
{% endmacro %}

{% macro is_copy_view(relation) %}{{ return('Comment: probesheets run --source' in (relation.information or '')) }}{% endmacro %}

{% macro withdraw_copy() %}
  {% for table in incoming_copies() %}
    {% do adapter.drop_relation(incoming_table(table).incorporate(type='view')) %}
  {% endfor %}
{% endmacro %}

{# The copy that is offered to Spark; empty without one. #}
{% macro offered_copy() %}
  {{ return(fromjson(env_var('PROBESHEETS_INCOMING', '') or '{}') if target.type == 'spark' else {}) }}
{% endmacro %}

{% macro incoming_copies() %}{{ return(offered_copy().get('views', {})) }}{% endmacro %}

{# A table of the source: the incoming one if there is an incoming copy, else the accepted one. Shapes read it. #}
{% macro source_table(name) %}
  {% set declared = source('gpt_experiments', name) %}
  {{ return(incoming_table(name) if execute and has_incoming_copy() else declared) }}
{% endmacro %}

{% macro accepted_table(name) %}
  {{ return(source('gpt_experiments', 'table_output').incorporate(path={'identifier': name})) }}
{% endmacro %}

{% macro incoming_table(name) %}{{ return(accepted_table('incoming_' ~ name)) }}{% endmacro %}

{% macro has_incoming_copy() %}
  {{ return(env_var('PROBESHEETS_INCOMING', '') != '' and load_relation(incoming_table(first_table(shape()))) is not none) }}
{% endmacro %}
