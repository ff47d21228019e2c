{# Copies the bundled sample into a DuckDB file that has no source yet. A server always has its own source. #}
{% macro load_sample() %}{{ return(adapter.dispatch('load_sample')()) }}{% endmacro %}

{% macro default__load_sample() %}{% endmacro %}

{% macro duckdb__load_sample() %}
  {% set tables = {'table_experiment': ['id'], 'table_output': ['id', 'experiment_id', 'root_id', 'depth']} %}
  {% if shape_of_copy() is none and not has_incoming_copy() %}
    {% for table, whole_numbers in tables.items() %}
      {% set casts = [] %}
      {% for name in whole_numbers %}{% do casts.append('cast(' ~ name ~ ' as bigint) as ' ~ name) %}{% endfor %}
      {% do run_query('create table main.' ~ table ~ ' as select * replace (' ~ casts | join(', ') ~ ")"
        ~ " from read_csv('sample/" ~ table ~ ".csv', all_varchar = true, header = true, delim = ',', quote = '\"',"
        ~ " escape = '\"', allow_quoted_nulls = false)") %}
      {% do adapter.cache_added(source('gpt_experiments', table).incorporate(type='table')) %}
    {% endfor %}
    {% do log_events([('copied', 'sample', '')]) %}
    {% do log('The database had no data yet, so the bundled sample was loaded.', info=true) %}
  {% endif %}
{% endmacro %}
