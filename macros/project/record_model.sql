{# Pre-hook and post-hook of every model: writes `building`, then `built`, into the build log. #}
{% macro record_model(event) %}
  {% if execute %}
    {% if event == 'building' %}
      {% do prepare_session(check_turn().source.rows) %}
    {% endif %}
    {% do log_events([(event, model.unique_id, '')], commit=event == 'building') %}
  {% endif %}
{% endmacro %}

{#
  Stops a model unless on-run-start of this dbt command has passed and no other build has started since. dbt 1.7 goes on to
  build although on-run-start has failed. Two builds at the same time would mix their models. Returns what the build log says
  about this build: see begin_build().
#}
{% macro check_turn() %}
  {% set latest = run_query("select invocation_id, recorded_at, details from " ~ build_log()
    ~ " where event = 'started' and subject <> 'test' order by event_id desc limit 1").rows
    if load_relation(build_log()) else [] %}
  {% if not latest or latest[0][0] != invocation_id %}
    {% set own = latest and run_query("select 1 from " ~ build_log()
      ~ " where event = 'started' and invocation_id = '" ~ invocation_id ~ "'").rows %}
    {{ exceptions.raise_compiler_error(
      "Another dbt build of this schema started at " ~ latest[0][1] ~ ", so this one stopped. "
      ~ "Build again when the other one has finished."
      if own else "Nothing is built, because the checks at the start failed. See their message above.") }}
  {% endif %}
  {{ return(fromjson(latest[0][2])) }}
{% endmacro %}


{# Settings of the connection that builds a model, for a source with so many rows. #}
{% macro prepare_session(rows) %}{{ return(adapter.dispatch('prepare_session')(rows)) }}{% endmacro %}

{% macro default__prepare_session(rows) %}{% endmacro %}

{#
  A model waits at most a minute for a table, not a day as on MariaDB by default: a client that was killed may have left a
  statement that still runs. advise() then names its connection.
#}
{% macro mariadb__prepare_session(rows) %}{% do run_query('set session lock_wait_timeout = ' ~ lock_wait_seconds()) %}{% endmacro %}

{% macro mysql__prepare_session(rows) %}{{ return(mariadb__prepare_session(rows)) }}{% endmacro %}

{% macro lock_wait_seconds() %}{{ return(60) }}{% endmacro %}

{#
  A join splits its rows among 200 tasks by default. That is too few if the source has more than 100 million rows: there
  is a task for each 500,000 rows, which are about 100 MB, unless a larger number is set.
#}
{% macro spark__prepare_session(rows) %}
  {% set setting, wanted = 'set spark.sql.shuffle.partitions', rows // 500000 %}
  {% if wanted > 200 and wanted > run_query(setting).rows[0][1] | int(default=wanted) %}{% do run_query(setting ~ ' = ' ~ wanted) %}{% endif %}
{% endmacro %}
