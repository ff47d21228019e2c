{#
  on-run-end: writes the results of the tests into the build log, and the seeds and snapshots that were built, which have
  no hooks. A build that was killed never gets here, so it stays unfinished in the log.
#}
{% macro end_build(results) %}
  {% if execute and is_logged_command() and load_relation(build_log()) %}
    {% set started = run_query("select details from " ~ build_log() ~ " where event = 'started' and invocation_id = '"
      ~ invocation_id ~ "'").rows %}
    {% do log_results(results, fromjson(started[0][0]).source) if started %}
  {% endif %}
{% endmacro %}

{% macro log_results(results, source_before) %}
  {% set events, failed, source_now = [], [], source_state() %}
  {% for result in results if result.node %}
    {% set id, type, status = result.node.unique_id, result.node.resource_type, result.status | string %}
    {% if type == 'test' and status != 'skipped' %}
      {% do events.append(('tested', id, status)) %}
      {% do failed.append(result.node.name) if status in ['fail', 'error'] %}
    {% elif type in ['seed', 'snapshot'] and status == 'success' %}
      {% do events.extend([('building', id, ''), ('built', id, '')]) %}
    {% endif %}
  {% endfor %}
  {% do log_events(events + [('ended', flags.WHICH, {'source': source_now, 'failed_tests': failed})]) %}
  {% if source_now != source_before %}
    {% do log('WARN ' ~ first_table(shape()) ~ ' changed during the build: it had ' ~ '{:,}'.format(source_before.rows)
      ~ ' rows, now it has ' ~ '{:,}'.format(source_now.rows)
      ~ '. Some models may lack the newest rows. Build again once no program is writing to the source.', info=true) %}
  {% endif %}
{% endmacro %}
