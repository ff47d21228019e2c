{#
  on-run-end: the results of the tests go into the build log, and the seeds and snapshots that were built, which have no
  hooks. A build that was killed never gets here: it stays unfinished.
#}
{% macro end_build(results) %}
  {% if execute and is_logged_command() and load_relation(build_log()) %}
    {% set started = run_query("select details from " ~ build_log() ~ " where event = 'started' and invocation_id = '" ~ invocation_id ~ "'").rows %}
    {% if started %}
      {% set begun = fromjson(started[0][0]).source %}
      {% set events, failed, found = [], [], source_state() %}
      {% for result in results if result.node and result.node.resource_type == 'test' %}
        {% do events.append(('tested', result.node.unique_id, result.status | string)) if result.status | string != 'skipped' %}
        {% do failed.append(result.node.name) if result.status | string in ['fail', 'error'] %}
      {% endfor %}
      {% for result in results if result.node and result.node.resource_type in ['seed', 'snapshot'] and result.status | string == 'success' %}
        {% do events.extend([('building', result.node.unique_id, ''), ('built', result.node.unique_id, '')]) %}
      {% endfor %}
      {% do log_events(events + [('ended', flags.WHICH, {'source': found, 'failed_tests': failed})]) %}
      {% if found != begun %}
        {% do log('WARN table_output changed while it was built: it had ' ~ '{:,}'.format(begun.rows) ~ ' rows, now it has '
          ~ '{:,}'.format(found.rows) ~ '. Some models may lack the newest rows. Build again when nothing writes to the source.', info=true) %}
      {% endif %}
    {% endif %}
  {% endif %}
{% endmacro %}
