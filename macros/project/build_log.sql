{#
  The build log: the table probesheets_builds beside the models. Rows are only ever added. It says what was built when and
  from which source, and which tests passed; an export reads it to decide whether the models may be exported.

  event     subject          details
  copied    what was copied
  started   build, run, ...  the source, the variables, the version, and the graph of models, tests and kinds
  building  a model
  built     a model
  tested    a test           pass, warn, fail or error; no row for a skipped test
  ended     build, run, ...  the source, and the tests that failed
#}
{% macro build_log() %}
  {{ return(api.Relation.create(database=target.database or none, schema=target.schema, identifier='probesheets_builds')) }}
{% endmacro %}


{# Adds a row for each (event, subject, details), and commits them unless they belong to the model being built. #}
{% macro log_events(events, commit=true) %}
  {% set now = modules.datetime.datetime.now(modules.pytz.utc).isoformat() %}
  {% set rows = [] %}
  {% for event, subject, details in events %}
    {% set literals = [event_number(loop.index)] %}
    {% for value in [now, invocation_id, event, subject, details if details is string else tojson(details)] %}
      {% do literals.append(text_literal(value)) %}
    {% endfor %}
    {% do rows.append('(' ~ literals | join(', ') ~ ')') %}
  {% endfor %}
  {% call statement('log_events') %}
    insert into {{ build_log() }} (event_id, recorded_at, invocation_id, event, subject, details) values {{ rows | join(', ') }}
  {% endcall %}
  {% do adapter.commit() if commit %}
{% endmacro %}

{# The number of an event: the table counts, but on Spark, where it is the time in microseconds. #}
{% macro event_number(place) %}{{ return(adapter.dispatch('event_number')(place)) }}{% endmacro %}

{% macro default__event_number(place) %}{{ return('default') }}{% endmacro %}

{% macro spark__event_number(place) %}
  {{ return((modules.datetime.datetime.now().timestamp() * 1000000) | int + place) }}
{% endmacro %}


{% macro create_build_log() %}
  {% do adapter.dispatch('create_build_log')() %}
  {% do adapter.cache_added(build_log().incorporate(type='table')) %}
{% endmacro %}

{% macro default__create_build_log() %}
  {# without the name of the database: a DuckDB file may be renamed #}
  {% set events = target.schema ~ '.probesheets_builds_events' %}
  {% do run_query('create sequence if not exists ' ~ events) %}
  {% do run_query('create table if not exists ' ~ build_log() ~ " (event_id bigint default nextval('" ~ events ~ "'), "
    ~ 'recorded_at varchar, invocation_id varchar, event varchar, subject varchar, details varchar)') %}
{% endmacro %}

{% macro mariadb__create_build_log() %}
  {% do run_query('create table if not exists ' ~ build_log() ~ ' (event_id bigint primary key auto_increment, '
    ~ 'recorded_at varchar(40), invocation_id varchar(40), event varchar(10), subject varchar(255), details longtext) '
    ~ 'default character set utf8mb4 collate utf8mb4_bin') %}
{% endmacro %}

{% macro spark__create_build_log() %}
  {% do run_query('create table if not exists ' ~ build_log() ~ ' (event_id bigint, recorded_at string, invocation_id string, '
    ~ 'event string, subject string, details string) using parquet') %}
{% endmacro %}

{% macro mysql__create_build_log() %}{{ return(mariadb__create_build_log()) }}{% endmacro %}
