{# Hooks before and after every model: `building`, then `built`, in the build log. #}
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
  Stops a model unless on-run-start has let this invocation begin and none has begun to build since. dbt 1.7 builds
  although on-run-start has failed; and two builds at once would mix their models.
#}
{% macro check_turn() %}
  {% set begun = run_query("select invocation_id, recorded_at from " ~ build_log() ~ " where event = 'started' and subject <> 'test'"
    ~ " order by event_id desc limit 1").rows if load_relation(build_log()) else [] %}
  {% if not begun or begun[0][0] != invocation_id %}
    {% set own = begun and run_query("select 1 from " ~ build_log() ~ " where event = 'started' and invocation_id = '" ~ invocation_id ~ "'").rows %}
    {{ exceptions.raise_compiler_error(
      "Another dbt build of this schema began at " ~ begun[0][1] ~ ", so this one stops. Wait for that one to end, then build again."
      if own else "Nothing is built, because the checks at the start failed. Their message is above.") }}
  {% endif %}
{% endmacro %}


{#
  A model's connection waits for a table for a minute at most, not for a day, as MariaDB would: a client that was killed
  may have left a statement that runs on. advise() names its connection then.
#}
{% macro limit_waiting() %}{{ return(adapter.dispatch('limit_waiting')()) }}{% endmacro %}

{% macro default__limit_waiting() %}{% endmacro %}

{% macro mariadb__limit_waiting() %}{% do run_query('set session lock_wait_timeout = ' ~ lock_wait_seconds()) %}{% endmacro %}

{% macro mysql__limit_waiting() %}{{ return(mariadb__limit_waiting()) }}{% endmacro %}

{% macro lock_wait_seconds() %}{{ return(60) }}{% endmacro %}
