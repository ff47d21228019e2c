{#
  The number of rows of table_output and its highest id, which tell one state of it from another: {'rows': 3, 'last_id': 7}
  for rows with the ids 1, 2 and 7. A row that is changed in place goes unnoticed.
#}
{% macro source_state() %}
  {% set outputs = source('gpt_experiments', 'table_output') %}
  {% set found = run_query('select count(*) as row_count, max(id) as last_id from ' ~ outputs).rows[0] %}
  {{ return({'rows': found[0] | int, 'last_id': (found[1] or 0) | int}) }}
{% endmacro %}
