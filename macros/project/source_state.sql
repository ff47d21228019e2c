{#
  The number of rows of the source and their highest ids, which tell one state of it from another: {'rows': 3, 'last_id': 7}
  for rows with the ids 1, 2 and 7; sums if the shape has several tables. table_experiment does not count. A row that is
  changed in place goes unnoticed.
#}
{% macro source_state() %}
  {% set state = namespace(rows=0, last_id=0) %}
  {% for table in shape().tables if table != 'table_experiment' %}
    {% set found = run_query('select count(*) as row_count, max(id) as last_id from ' ~ accepted_table(table)).rows[0] %}
    {% set state.rows, state.last_id = state.rows + found[0] | int, state.last_id + (found[1] or 0) | int %}
  {% endfor %}
  {{ return({'rows': state.rows, 'last_id': state.last_id}) }}
{% endmacro %}
