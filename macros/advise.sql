{#
  After the tests: for each that failed or warned, its name and what to do, from the comment at its top. For a model that
  waited in vain for a table: who holds it.
#}
{% macro advise(results) %}
  {% for result in results if result.node and result.node.resource_type == 'test' and result.status | string in ['fail', 'error', 'warn'] %}
    {% set comment = namespace(lines=[], ended=false) %}
    {% for line in result.node.raw_code.split('\n') if not comment.ended %}
      {% if line.startswith('--') %}{% do comment.lines.append(line[2:] | trim) %}{% else %}{% set comment.ended = true %}{% endif %}
    {% endfor %}
    {% set advice = comment.lines | join(' ') or 'The models broke a promise: build all of them again, and report this name if it stays so.' %}
    {% do log(result.status | string | upper ~ ' ' ~ result.node.name ~ ': ' ~ (result.failures or 0) ~ ' rows. ' ~ advice, info=true) %}
  {% endfor %}
  {% for result in results if 'Lock wait timeout exceeded' in (result.message or '') %}
    {% if loop.first %}{% do advise_about_locks() %}{% endif %}
  {% endfor %}
{% endmacro %}

{# Only servers make their clients wait. A user without the right PROCESS sees the own connections alone. #}
{% macro advise_about_locks() %}
  {% set others = run_query('select id, user, time, left(coalesce(info, command), 80) from information_schema.processlist '
    ~ 'where id <> connection_id() and time >= ' ~ lock_wait_seconds() ~ ' order by time desc limit 10').rows %}
  {% do log('A table was in use by another connection for more than ' ~ lock_wait_seconds() ~ ' s. '
    ~ ('It may be one of these. If nobody needs it, end it on the server with KILL and its number. Then build again:'
      if others else 'No other connection of this user is old enough to be it. Build again.'), info=true) %}
  {% for row in others %}
    {% do log('  connection ' ~ row[0] ~ ' of ' ~ shown(row[1]) ~ ', for ' ~ row[2] ~ ' s: ' ~ shown(row[3]), info=true) %}
  {% endfor %}
{% endmacro %}
