{#
  Problems with the server: its version, its sql_mode, and a schema that would hold both the source and the models; on a
  shared Spark, a build that has not ended.
#}
{% macro faults_of_server() %}{{ return(adapter.dispatch('faults_of_server')()) }}{% endmacro %}

{% macro default__faults_of_server() %}{{ return([]) }}{% endmacro %}

{# Window functions, json_table and the collations that the models use came with these versions. #}
{% macro mariadb__faults_of_server() %}
  {% set version, sql_mode = run_query('select version(), @@sql_mode').rows[0] %}
  {% set is_mariadb = 'mariadb' in version | lower %}
  {% set kind, other_target = ('MariaDB', 'mariadb') if is_mariadb else ('MySQL', 'mysql') %}
  {% set numbers = modules.re.findall('[0-9]+', version)[:3] | map('int') | list %}
  {% set unfit = ['NO_BACKSLASH_ESCAPES', 'EMPTY_STRING_IS_NULL'] | select('in', sql_mode.split(',')) | join(', ') %}
  {% set schema, faults = source('gpt_experiments', 'table_output').schema, [] %}
  {% if is_mariadb != (target.type == 'mariadb') %}
    {% do faults.append('The server is ' ~ kind ~ ' ' ~ version ~ '.\nRun the same command with --target ' ~ other_target) %}
  {% elif numbers < ([10, 6] if is_mariadb else [8, 0, 17]) %}
    {% do faults.append('The server is ' ~ kind ~ ' ' ~ version ~ '; a build needs MariaDB 10.6 or later, '
      ~ 'or MySQL 8.0.17 or later.\n'
      ~ read_into_duckdb()) %}
  {% elif unfit %}
    {% do faults.append('The sql_mode of the server includes ' ~ unfit ~ ', which changes the meaning of SQL.\n'
      ~ 'Ask the administrator of the server to remove it: set global sql_mode = ...\n' ~ read_into_duckdb()) %}
  {% elif schema | lower == target.schema | lower %}
    {% do faults.append('PROBESHEETS_SCHEMA and PROBESHEETS_SOURCE_SCHEMA are both ' ~ schema
      ~ ', so the models could replace tables of the source.\n'
      ~ 'Set PROBESHEETS_SCHEMA to a schema that holds nothing but the models, such as probesheets.') %}
  {% endif %}
  {{ return(faults) }}
{% endmacro %}

{# Two builds at a time would mix. A session on one machine has its metastore for itself, so there check_turn() is enough. #}
{% macro spark__faults_of_server() %}
  {% set version = run_query('select version()').rows[0][0] %}
  {% if version.split('.')[0] | int < 4 %}
    {{ return(['This is Spark ' ~ version.split(' ')[0] ~ '; a build needs Spark 4.\n' ~ read_into_duckdb()]) }}
  {% endif %}
  {% if target.host == 'NA' and run_query("show schemas like '" ~ target.schema ~ "'").rows %}
    {% set files = run_query('set spark.sql.warehouse.dir').rows[0][1] | replace('%20', ' ') %}
    {% set wanted, found = files ~ '/' ~ target.schema ~ '.db', run_query('describe schema ' ~ target.schema).rows | selectattr(0, 'eq', 'Location') | first %}
    {% if found[1] | replace('%20', ' ') | replace('file:///', 'file:/') != wanted | replace('file:///', 'file:/') %}
      {{ return(['The tables of this schema are in ' ~ found[1] ~ ', not in ' ~ wanted ~ ': the folder was moved or copied.\n'
        ~ 'Remove the folder ' ~ files ~ ', which a build makes again, then copy the source again with --source.']) }}
    {% endif %}
  {% endif %}
  {% if target.host == 'NA' or env_var('PROBESHEETS_TAKE_OVER', '') or not is_logged_command() or not load_relation(build_log()) %}
    {{ return([]) }}
  {% endif %}
  {% set begun = "select max(event_id) from " ~ build_log() ~ " where event = 'started' and subject <> 'test'" %}
  {% set open = run_query('select recorded_at, details from ' ~ build_log() ~ ' where event_id in (' ~ begun
    ~ ') and invocation_id not in (select invocation_id from ' ~ build_log() ~ " where event = 'ended')").rows %}
  {% for recorded_at, details in open %}
    {{ return(['A build that ' ~ fromjson(details).by ~ ' began at ' ~ recorded_at[:19] ~ ' UTC has not ended.\nWait until it '
      ~ 'ends. If it was stopped, run: probesheets run --target ' ~ target.name ~ ' --take-over']) }}
  {% endfor %}
  {{ return([]) }}
{% endmacro %}

{% macro mysql__faults_of_server() %}{{ return(mariadb__faults_of_server()) }}{% endmacro %}
