{#
  on-run-start: stops before anything is built if the build would fail later or give wrong results. Each macro
  faults_of_...() returns a list of messages; from their second line on, they say what to do. A DuckDB file that has
  no source yet gets the bundled sample.
#}
{% macro prepare_source() %}
  {% if execute and is_logged_command() %}
    {% do stop_for(['Remove --empty: it would replace the models with empty ones.']) if flags.EMPTY %}
    {% do stop_for(faults_of_settings()) %}
    {% do create_build_log() %}
    {% do offer_copy() %}
    {% do stop_for(['The copy of the source is gone. Run the same command again.'])
      if env_var('PROBESHEETS_INCOMING', '') and not has_incoming_copy() %}
    {% do load_sample() %}
    {% do stop_for(faults_of_source()) %}
    {% do accept_copy() %}
    {% do begin_build() %}
  {% endif %}
{% endmacro %}

{# The commands that build or test. #}
{% macro is_logged_command() %}{{ return(flags.WHICH in ['build', 'run', 'test', 'seed', 'snapshot']) }}{% endmacro %}

{% macro stop_for(faults) %}
  {% if faults %}{{ exceptions.raise_compiler_error(faults | join('\n')) }}{% endif %}
{% endmacro %}

{% macro faults_of_settings() %}{{ return(faults_of_server() or faults_of_shape() or faults_of_variables() or faults_of_names()) }}{% endmacro %}

{% macro faults_of_source() %}{{ return(faults_of_columns() or faults_of_rows() or faults_of_texts()) }}{% endmacro %}

{# The advice that always helps: DuckDB reads what a server cannot build on. #}
{% macro read_into_duckdb() %}
  {% set server = 'mysql://user@host:port/' ~ source('gpt_experiments', 'table_output').schema %}
  {{ return('Run: probesheets run --source FILE' if target.type in ['duckdb', 'spark']
    else 'To read the source into DuckDB instead, run: probesheets run --source ' ~ server) }}
{% endmacro %}
