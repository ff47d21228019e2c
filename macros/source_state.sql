{#
  What tells one state of table_output from another.

  | table_output               | source_state()              |
  | rows with the ids 1, 2, 7  | {'rows': 3, 'last_id': 7}   |
#}
{% macro source_state() %}
  {% set found = run_query('select count(*) as row_count, max(id) as last_id from ' ~ source('gpt_experiments', 'table_output')).rows[0] %}
  {{ return({'rows': found[0] | int, 'last_id': (found[1] or 0) | int}) }}
{% endmacro %}
