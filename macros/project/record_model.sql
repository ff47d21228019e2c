{# Pre-hook and post-hook of every model: writes `building`, then `built`, into the build log. #}
{% macro record_model(event) %}
  {% if execute %}
    {% if event == 'building' %}
      {% do check_turn() %}
      {% do limit_waiting() %}
    {% endif %}
    {% do log_events([(event, model.unique_id, '')], commit=event == 'building') %}
  {% endif %}
{% endmacro %}

{#
  Stops a model unless on-run-start of this dbt command has passed and no other build has started since. dbt 1.7 goes on to
  build although on-run-start has failed. Two builds at the same time would mix their models.
#}
{% macro check_turn() %}
  {% set latest = run_query("select invocation_id, recorded_at from " ~ build_log()
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
{% endmacro %}


{#
  A model waits at most a minute for a table, not a day as on MariaDB by default: a client that was killed may have left a
  statement that still runs. advise() then names its connection.
#}
{% macro limit_waiting() %}{{ return(adapter.dispatch('limit_waiting')()) }}{% endmacro %}

{% macro default__limit_waiting() %}{% endmacro %}

{% macro mariadb__limit_waiting() %}{% do run_query('set session lock_wait_timeout = ' ~ lock_wait_seconds()) %}{% endmacro %}

{% macro mysql__limit_waiting() %}{{ return(mariadb__limit_waiting()) }}{% endmacro %}

{% macro lock_wait_seconds() %}{{ return(60) }}{% endmacro %}
