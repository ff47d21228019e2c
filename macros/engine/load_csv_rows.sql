{#
  Overrides a macro of dbt-spark, which puts the values of a seed into SQL without escaping quotes, and writes None for an
  empty one.
#}
{% macro spark__load_csv_rows(model, agate_table) %}
  {% set types, statements = model.config.column_types, [] %}
  {% for chunk in agate_table.rows | batch(1000) %}
    {% set rows = [] %}
    {% for row in chunk %}
      {% set values = [] %}
      {% for name in agate_table.column_names %}
        {% set value = 'null' if row[name] is none else text_literal(row[name] | string) %}
        {% do values.append('cast(' ~ value ~ ' as ' ~ types.get(name, 'string') ~ ')') %}
      {% endfor %}
      {% do rows.append('(' ~ values | join(', ') ~ ')') %}
    {% endfor %}
    {% do statements.append('insert into ' ~ this ~ ' values ' ~ rows | join(', ')) %}
    {% do adapter.add_query(statements[-1], abridge_sql_log=True) %}
  {% endfor %}
  {{ return(statements | join(';\n')) }}
{% endmacro %}
