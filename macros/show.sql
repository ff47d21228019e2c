
{% macro show_partitions() %}
  {% for rows in [100000000, 4000000000, 1000000000] %}
    {% do prepare_session(rows) %}
    {% do print('in tasks: ' ~ run_query('set spark.sql.shuffle.partitions').rows[0][1]) %}
  {% endfor %}
{% endmacro %}
