{#
  Before anything is built: what would stop a build on the way, or make it wrong. Each macro faults_of_... returns a list
  of messages; what to do begins on their second line. A DuckDB file without a copy of a source gets the bundled sample.
#}
{% macro prepare_source() %}
  {% if execute and is_logged_command() %}
    {% do stop_for(['Leave out --empty: it would replace the models with empty ones.']) if flags.EMPTY %}
    {% do stop_for(faults_of_settings()) %}
    {% do create_build_log() %}
    {% do load_sample() %}
    {% do stop_for(faults_of_source()) %}
    {% do begin_build() %}
  {% endif %}
{% endmacro %}

{# The commands that build or test. #}
{% macro is_logged_command() %}{{ return(flags.WHICH in ['build', 'run', 'test', 'seed', 'snapshot']) }}{% endmacro %}

{#
  What prepare_source would stop for, for `probesheets check`: one line of JSON. `kinds` are the kinds of spreadsheet,
  which the exporter reads there as it does for an export.
#}
{% macro find_faults() %}
  {% set faults = faults_of_settings() or faults_of_source() %}
  {% do print(tojson({'faults': faults, 'kinds': [] if faults else kinds_of_spreadsheet()})) %}
{% endmacro %}

{% macro stop_for(faults) %}
  {% if faults %}{{ exceptions.raise_compiler_error(faults | join('\n')) }}{% endif %}
{% endmacro %}

{% macro faults_of_settings() %}{{ return(faults_of_server() or faults_of_variables() or faults_of_names()) }}{% endmacro %}

{% macro faults_of_source() %}{{ return(faults_of_columns() or faults_of_rows() or faults_of_texts()) }}{% endmacro %}


{% macro faults_of_server() %}{{ return(adapter.dispatch('faults_of_server')()) }}{% endmacro %}

{% macro default__faults_of_server() %}{{ return([]) }}{% endmacro %}

{# Window functions, json_table and the collations that we need came with these versions. #}
{% macro mariadb__faults_of_server() %}
  {% set version, sql_mode = run_query('select version(), @@sql_mode').rows[0] %}
  {% set is_mariadb = 'mariadb' in version | lower %}
  {% set found = modules.re.findall('[0-9]+', version)[:3] | map('int') | list %}
  {% set unfit = ['NO_BACKSLASH_ESCAPES', 'EMPTY_STRING_IS_NULL'] | select('in', sql_mode.split(',')) | join(', ') %}
  {% set schema, said = source('gpt_experiments', 'table_output').schema, namespace(fault='') %}
  {% if is_mariadb != (target.type == 'mariadb') %}
    {% set said.fault = '.\nRun: the same command with --target ' ~ ('mariadb' if is_mariadb else 'mysql') %}
  {% elif found < ([10, 6] if is_mariadb else [8, 0, 17]) %}
    {% set said.fault = '; building on it needs MariaDB 10.6 or MySQL 8.0.17.\n' ~ read_into_duckdb() %}
  {% elif unfit %}
    {% set said.fault = ', and its sql_mode holds ' ~ unfit ~ ', which gives SQL another meaning.\n'
      ~ 'Ask who runs the server to take it out: set global sql_mode = ...\n' ~ read_into_duckdb() %}
  {% elif schema | lower == target.schema | lower %}
    {{ return(['PROBESHEETS_SCHEMA and PROBESHEETS_SOURCE_SCHEMA are both ' ~ schema ~ ': the models could replace tables of it.\n'
      ~ 'Name a schema for the models alone in PROBESHEETS_SCHEMA, such as probesheets.']) }}
  {% endif %}
  {{ return(['The server is ' ~ ('MariaDB ' if is_mariadb else 'MySQL ') ~ version ~ said.fault] if said.fault else []) }}
{% endmacro %}

{% macro mysql__faults_of_server() %}{{ return(mariadb__faults_of_server()) }}{% endmacro %}

{% macro read_into_duckdb() %}
  {{ return('Run: probesheets run --source FILE' if target.type == 'duckdb'
    else 'To read the source into DuckDB instead, run: probesheets run --source mysql://user@host:port/' ~ source('gpt_experiments', 'table_output').schema) }}
{% endmacro %}


{% macro load_sample() %}{{ return(adapter.dispatch('load_sample')()) }}{% endmacro %}

{% macro default__load_sample() %}{% endmacro %}

{% macro duckdb__load_sample() %}
  {% if not load_relation(source('gpt_experiments', 'table_output')) %}
    {% set read = "from read_csv('sample/%s.csv', all_varchar = true, header = true, delim = ',', quote = '\"', escape = '\"', allow_quoted_nulls = false)" %}
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


{# On every engine ids and depths are whole numbers: as texts they would be in another order. #}
{% macro faults_of_columns() %}
  {% set ids, texts = ['id', 'experiment_id', 'root_id', 'depth'], ['tag', 'probe', 'content'] + var('extra_columns') | map('string') | list %}
  {% set whole_number = 'bigint$' if target.type == 'duckdb' else '(tiny|small|medium|big)?int\\b' %}
  {% set outputs, faults = source('gpt_experiments', 'table_output'), [] %}
  {% if not load_relation(outputs) %}
    {{ return(['There is no table ' ~ outputs ~ ', or this user may not read it.\nName the schema that holds table_output in '
      ~ 'PROBESHEETS_SOURCE_SCHEMA (now: ' ~ outputs.schema ~ '); the user needs SELECT on it.']) }}
  {% endif %}
  {% for table, needed in {'table_output': (ids + texts) | unique, 'table_experiment': ['id', 'model_name']}.items() %}
    {% set types = types_of_columns(table) %}
    {% for name in needed if types %}
      {% set type = types.get(name, '') %}
      {% if not type %}
        {% do faults.append(table ~ ' has no column ' ~ shown(name) ~ '.\nFound: ' ~ shown(types | join(', '))) %}
      {% elif name in ids and not modules.re.match(whole_number, type, modules.re.I) %}
        {% do faults.append(table ~ '.' ~ name ~ ' is of the type ' ~ type ~ ', but must hold whole numbers.\n' ~ read_into_duckdb()) %}
      {% elif name in texts and modules.re.match('bit|geom|point|line|polygon|multi', type, modules.re.I) %}
        {% do faults.append(table ~ '.' ~ shown(name) ~ ' is of the type ' ~ type ~ ', which is no text.\nLeave it out of extra_columns.') %}
      {% endif %}
    {% endfor %}
  {% endfor %}
  {{ return(faults) }}
{% endmacro %}

{# {name: type} of a table of the source; nothing if it is not there. #}
{% macro types_of_columns(table) %}
  {% set relation, types = source('gpt_experiments', table), {} %}
  {% for row in (run_query("describe " ~ relation).rows if load_relation(relation) else []) %}{% do types.update({row[0]: row[1] | string}) %}{% endfor %}
  {{ return(types) }}
{% endmacro %}


{# The text tag, and ids that repeat: each row of the models has the id of one row. #}
{% macro faults_of_rows() %}
  {% set outputs, tag, faults = source('gpt_experiments', 'table_output'), exact_text('tag'), [] %}
  {% if not run_query('select 1 from ' ~ outputs ~ ' where ' ~ tag ~ ' = ' ~ text_literal(var('text_tag')) ~ ' limit 1').rows %}
    {% set listed = [] %}
    {% for row in run_query('select ' ~ tag ~ ' as tag, count(*) as row_count from ' ~ outputs ~ ' group by 1 order by 2 desc limit 20').rows %}
      {% do listed.append(shown(row[0]) ~ ' (' ~ row[1] ~ ')') %}
    {% endfor %}
    {% do faults.append("No row of table_output has the tag '" ~ shown(var('text_tag')) ~ "', which text_tag names.\n"
      ~ "Its tags, with their rows: " ~ listed | join(', ') ~ ". Choose one: --vars '{text_tag: ...}'") %}
  {% endif %}
  {% for table in ['table_output', 'table_experiment'] if load_relation(source('gpt_experiments', table)) %}
    {% for row in run_query('select id, count(*) as row_count from ' ~ source('gpt_experiments', table)
      ~ ' group by id having count(*) > 1 or id is null or id > 9223372036854775807 limit 1').rows %}
      {% do faults.append(table ~ ' has ' ~ row[1] ~ ' rows ' ~ ('without an id' if row[0] is none else 'with the id ' ~ row[0]) ~ '.\nEach row needs an id of its own, up to 9223372036854775807.') %}
    {% endfor %}
  {% endfor %}
  {{ return(faults) }}
{% endmacro %}


{% macro faults_of_texts() %}{{ return(adapter.dispatch('faults_of_texts')() if flags.WHICH != 'test' else []) }}{% endmacro %}

{% macro default__faults_of_texts() %}{{ return([]) }}{% endmacro %}

{#
  A server's functions make null of a text over max_allowed_packet. On the way to a link list, a text grows to less than
  five times its bytes; the SQL of the models takes less than 128 KB, and 16 KB for each further column. MySQL makes null,
  and MariaDB question marks, of bytes that are not UTF-8.
#}
{% macro mariadb__faults_of_texts() %}
  {% set tags, lengths, broken, faults = [], [], [], [] %}
  {% for tag in [var('text_tag'), var('date_tag')] + var('extra_tags') %}{% do tags.append(text_literal(tag)) %}{% endfor %}
  {% set columns, types = ['content', 'probe'] + var('extra_columns') | map('string') | list, types_of_columns('table_output') %}
  {% for column in columns %}
    {% set bytes, text = 'cast(' ~ adapter.quote(column) ~ ' as binary)', 'convert(' ~ adapter.quote(column) ~ ' using utf8mb4)' %}
    {% do lengths.append('coalesce(max(octet_length(' ~ bytes ~ ')), 0)') %}
    {% do broken.append('coalesce(sum(not cast(' ~ text ~ ' as binary) <=> ' ~ bytes ~ '), 0)' if modules.re.search('blob|binary', types[column]) else '0') %}
  {% endfor %}
  {% set found = run_query('select @@max_allowed_packet, greatest(' ~ lengths | join(', ') ~ '), ' ~ broken | join(', ') ~ ' from '
    ~ source('gpt_experiments', 'table_output') ~ ' where ' ~ exact_text('tag') ~ ' in (' ~ tags | join(', ') ~ ')').rows[0] %}
  {% set needed = [(128 + 16 * (var('extra_tags') + var('extra_columns')) | length) * 1024, 5 * found[1] | int] | max %}
  {% if found[0] < needed %}
    {% set longest = ', because its longest text has ' ~ '{:,}'.format(found[1] | int) if 5 * found[1] | int == needed else '' %}
    {% do faults.append('max_allowed_packet is ' ~ '{:,}'.format(found[0] | int) ~ ' bytes on the server; a build of this source needs '
      ~ '{:,}'.format(needed) ~ longest ~ '.\nAsk who runs the server to raise it: set global max_allowed_packet = '
      ~ (needed // 1048576 + 1) * 1048576 ~ '\n' ~ read_into_duckdb()) %}
  {% endif %}
  {% for column in columns %}
    {% do faults.append('table_output.' ~ shown(column) ~ ': ' ~ found[loop.index + 1] ~ ' of its values are bytes that are not UTF-8.\n'
      ~ 'Correct them in the source' ~ (', or leave it out of extra_columns.' if loop.index > 2 else '.')) if found[loop.index + 1] %}
  {% endfor %}
  {{ return(faults) }}
{% endmacro %}

{% macro mysql__faults_of_texts() %}{{ return(mariadb__faults_of_texts()) }}{% endmacro %}
