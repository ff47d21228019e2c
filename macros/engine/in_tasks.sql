{#
  Rows to select from, in as many tasks of Spark as number_of_tasks() says. Spark itself would read a small table as one
  task, and one core would do all the work that follows. Rows go to the tasks by their key, so the rows of a large probe
  are in all of them. Without a number, they are the rows as they are.
#}
{% macro in_tasks(tasks, rows, key) %}
  {{ return('(select /*+ repartition(' ~ tasks ~ ', ' ~ key ~ ') */ * from ' ~ rows ~ ') as spread' if tasks else rows) }}
{% endmacro %}

{# For a table of texts: on Spark, if it has 10,000 rows, one for each core, and about 100,000 rows in each at most. #}
{% macro number_of_tasks(texts) %}{{ return(adapter.dispatch('number_of_tasks')(texts)) }}{% endmacro %}

{% macro default__number_of_tasks(texts) %}{{ return(none) }}{% endmacro %}

{# range() has a partition for each core of the cluster, unless spark.default.parallelism is set. #}
{% macro spark__number_of_tasks(texts) %}
  {% if execute and load_relation(texts) %}
    {% set cores = 'select count(distinct part) from (select spark_partition_id() as part from range(0, 1000000))' %}
    {% set found = run_query('select count(*), (' ~ cores ~ ') from ' ~ texts).rows[0] %}
    {{ return([found[1], found[0] // 100000 + 1] | max | int if found[0] >= 10000 else none) }}
  {% endif %}
{% endmacro %}
