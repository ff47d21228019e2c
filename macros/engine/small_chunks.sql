{#
  A relation or a query in parentheses to select from. If texts are long, DuckDB reads it in parts, with fewer rows at a
  time: for each of 2,048 rows it would hold a copy of the text for every step of cleaning and marking, about eighty, which
  memory_limit does not count.
#}
{% macro small_chunks(relation, key, text) %}{{ return(adapter.dispatch('small_chunks')(relation, key, text)) }}{% endmacro %}

{% macro default__small_chunks(relation, key, text) %}{{ return(relation) }}{% endmacro %}

{% macro duckdb__small_chunks(relation, key, text) %}
  {% set parts = [] %}
  {% if execute and (relation is string or load_relation(relation)) %}
    {% set numbered = '(select ' ~ text ~ ', row_number() over () as rowid from ' ~ relation ~ ')' if relation is string else relation %}
    {% set chunks = 'select sum(strlen(' ~ text ~ ')) as size from ' ~ numbered ~ ' group by rowid // 2048' %}
    {% set largest = run_query('select coalesce(max(size), 0) from (' ~ chunks ~ ')').columns[0].values()[0] | int %}
    {% set count = largest // 8000000 + 1 %}
    {% for part in range(count) if count > 1 %}
      {% do parts.append('select * from ' ~ relation ~ ' where hash(' ~ key ~ ') % ' ~ count ~ ' = ' ~ part) %}
    {% endfor %}
  {% endif %}
  {{ return('(' ~ parts | join(' union all ') ~ ') as parts' if parts else relation) }}
{% endmacro %}
