{#
  on-run-end: for each test that failed or warned, logs its name, a few values of the column that its meta `shows` names,
  and what to do, which the comment at the top of the test says. For a model that could not get a table in time, logs which
  connections may hold it.
#}
{% macro advise(results) %}
  {% for result in results if result.node and result.node.resource_type == 'test' %}
    {% set status = result.status | string %}
    {% if status in ['fail', 'error', 'warn'] %}
      {% set advice = first_comment(result.node.raw_code)
        or 'The models are inconsistent. Build all of them again. If this test fails again, report its name.' %}
      {% set count, shows = result.failures or 0, result.node.config.meta.shows %}
      {% do log('{} {}: {:,} row{}{}. {}'.format(status | upper, result.node.name, count, '' if count == 1 else 's',
        some_values(shows, result.node.compiled_code) if count and shows else '', advice), info=true) %}
    {% endif %}
  {% endfor %}
  {% for result in results if 'Lock wait timeout exceeded' in (result.message or '') %}
    {% if loop.first %}{% do advise_about_locks() %}{% endif %}
  {% endfor %}
{% endmacro %}

{# Some values of a column of a test's query, as in ` (text_id 7, 12, 15, ...)`. #}
{% macro some_values(column, sql, most=3) %}
  {% set found = run_query('select distinct ' ~ column ~ ' from (' ~ sql ~ '\n) as found_rows'
    ~ ' where ' ~ column ~ ' is not null order by ' ~ column ~ ' limit ' ~ (most + 1)) %}
  {% set values = [] %}
  {% for (value,) in found.rows %}
    {% set said = shown(value | string | truncate(40, true)) %}
    {% do values.append('...' if loop.index > most else "'" ~ said ~ "'" if value is string else said) %}
  {% endfor %}
  {{ return(' (' ~ column ~ ' ' ~ values | join(', ') ~ ')') }}
{% endmacro %}

{# The comment lines at the top of a SQL file, as one line. #}
{% macro first_comment(sql) %}
  {% set lines = [] %}
  {% for line in sql.split('\n') %}
    {% if not line.startswith('--') %}{{ return(lines | join(' ')) }}{% endif %}
    {% do lines.append(line[2:] | trim) %}
  {% endfor %}
  {{ return(lines | join(' ')) }}
{% endmacro %}

{# Only servers make a connection wait. A user without the PROCESS right sees only their own connections. #}
{% macro advise_about_locks() %}
  {% set others = run_query('select id, user, time, left(coalesce(info, command), 80) from information_schema.processlist '
    ~ 'where id <> connection_id() and time >= ' ~ lock_wait_seconds() ~ ' order by time desc limit 10').rows %}
  {% do log('Another connection has used a table for more than ' ~ lock_wait_seconds() ~ ' s. '
    ~ ('It may be one of these. If nobody needs it, end it with the SQL statement KILL and its number, then build again:'
      if others else 'This user cannot see which one. Build again.'), info=true) %}
  {% for row in others %}
    {% do log('  connection ' ~ row[0] ~ ' of ' ~ shown(row[1]) ~ ', for ' ~ row[2] ~ ' s: ' ~ shown(row[3]), info=true) %}
  {% endfor %}
{% endmacro %}
