{#
  Before anything is built: the source must be there and hold what the variables name. A DuckDB file without a copy of
  a source gets the bundled sample.
#}
{% macro prepare_source() %}
  {% if execute and flags.WHICH in ['build', 'run', 'test'] %}
    {% do check_server() %}
    {% do check_names() %}
    {% do create_build_log() %}
    {% do load_sample() %}
    {% do check_columns() %}
    {% do check_text_tag() %}
    {% do begin_build() %}
  {% endif %}
{% endmacro %}


{# Window functions, json_table and the collations that we need came with these versions. #}
{% macro check_server() %}{{ return(adapter.dispatch('check_server')()) }}{% endmacro %}

{% macro default__check_server() %}{% endmacro %}

{% macro mariadb__check_server() %}
  {% set version = run_query('select version()').columns[0].values()[0] | string %}
  {% set is_mariadb = 'mariadb' in version | lower %}
  {% if is_mariadb != (target.type == 'mariadb') %}
    {{ exceptions.raise_compiler_error("The server is " ~ ('MariaDB' if is_mariadb else 'MySQL') ~ " " ~ version
      ~ ". Type --target " ~ ('mariadb' if is_mariadb else 'mysql') ~ " instead of --target " ~ target.type ~ ".") }}
  {% endif %}
  {% set oldest = [10, 6] if is_mariadb else [8, 0, 17] %}
  {% set found = modules.re.findall('[0-9]+', version)[:3] | map('int') | list %}
  {% if found < oldest %}
    {{ exceptions.raise_compiler_error("The server is " ~ ('MariaDB ' if is_mariadb else 'MySQL ') ~ version
      ~ "; building on a server needs MariaDB 10.6 or MySQL 8.0.17. Read it into DuckDB instead: "
      ~ "probesheets run --source mysql://user@host:port/schema") }}
  {% endif %}
{% endmacro %}

{% macro mysql__check_server() %}{{ return(mariadb__check_server()) }}{% endmacro %}


{% macro load_sample() %}{{ return(adapter.dispatch('load_sample')()) }}{% endmacro %}

{% macro default__load_sample() %}{% endmacro %}

{% macro duckdb__load_sample() %}
  {% if not load_relation(source('gpt_experiments', 'table_output')) %}
    {% set read = "from read_csv('exporter/sample/%s.csv', all_varchar = true, header = true, delim = ',', quote = '\"', escape = '\"', allow_quoted_nulls = false)" %}
    {% set ids = 'cast(id as bigint) as id, cast(experiment_id as bigint) as experiment_id, cast(root_id as bigint) as root_id, cast(depth as bigint) as depth' %}
    {% do run_query('create table main.table_experiment as select * replace (cast(id as bigint) as id) ' ~ read % 'table_experiment') %}
    {% do run_query('create table main.table_output as select * replace (' ~ ids ~ ') ' ~ read % 'table_output') %}
    {% for table in ['table_output', 'table_experiment'] %}
      {% do adapter.cache_added(source('gpt_experiments', table).incorporate(type='table')) %}
    {% endfor %}
    {% do log_events([('copied', 'sample', '')]) %}
    {% do log('The database had no source yet: the bundled sample has been loaded.', info=true) %}
  {% endif %}
{% endmacro %}


{% macro check_columns() %}
  {% set relation = source('gpt_experiments', 'table_output') %}
  {% if not load_relation(relation) %}
    {{ exceptions.raise_compiler_error("There is no table " ~ relation ~ ". Name the schema that holds table_output in "
      ~ "PROBESHEETS_SOURCE_SCHEMA (now: " ~ relation.schema ~ ").") }}
  {% endif %}
  {% set found = adapter.get_columns_in_relation(relation) | map(attribute='name') | list %}
  {% for name in ['id', 'experiment_id', 'root_id', 'tag', 'depth', 'probe', 'content'] + var('extra_columns') | map('string') | list if name not in found %}
    {{ exceptions.raise_compiler_error(relation ~ " has no column " ~ name ~ ". Found: " ~ found | join(', ') ~ ".") }}
  {% endfor %}
  {% set experiments = load_relation(source('gpt_experiments', 'table_experiment')) %}
  {% set found = adapter.get_columns_in_relation(experiments) | map(attribute='name') | list if experiments else ['id', 'model_name'] %}
  {% for name in ['id', 'model_name'] if name not in found %}
    {{ exceptions.raise_compiler_error(experiments ~ " has no column " ~ name ~ ". Found: " ~ found | join(', ') ~ ".") }}
  {% endfor %}
{% endmacro %}


{% macro check_text_tag() %}
  {% set outputs, tag = source('gpt_experiments', 'table_output'), exact_text('tag') %}
  {% set found = run_query('select 1 from ' ~ outputs ~ ' where ' ~ tag ~ ' = ' ~ text_literal(var('text_tag')) ~ ' limit 1') %}
  {% if not found.rows %}
    {% set listed = [] %}
    {% for row in run_query('select ' ~ tag ~ ' as tag, count(*) as row_count from ' ~ outputs ~ ' group by 1 order by 2 desc limit 20').rows %}
      {% do listed.append(row[0] ~ ' (' ~ row[1] ~ ')') %}
    {% endfor %}
    {{ exceptions.raise_compiler_error("No row of table_output has the tag '" ~ var('text_tag') ~ "', which the variable text_tag names. "
      ~ "The tags that are there, with their rows: " ~ listed | join(', ') ~ ". Choose one: --vars '{text_tag: ...}'") }}
  {% endif %}
{% endmacro %}
