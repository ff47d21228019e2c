{#
  Problems with long texts and with bytes that are not text, on the servers. A server's functions return null for a text
  over max_allowed_packet. For bytes that are not UTF-8, MySQL returns null, and MariaDB question marks.
#}
{% macro faults_of_texts() %}{{ return(adapter.dispatch('faults_of_texts')() if flags.WHICH != 'test' else []) }}{% endmacro %}

{% macro default__faults_of_texts() %}{{ return([]) }}{% endmacro %}

{# Spark passes over files with some names, and reads no subfolders. #}
{% macro spark__faults_of_texts() %}
  {% set wanted, first = offered_copy().rows, incoming_table(first_table(shape())) %}
  {% set found = run_query('select count(*) from ' ~ first).rows[0][0] if wanted else wanted %}
  {{ return([] if found == wanted else ['Spark finds ' ~ found ~ ' rows in the files of ' ~ shown(offered_copy().name)
    ~ ', which have ' ~ wanted ~ '.\nName one folder whose files are not in subfolders, and whose names do not begin with _ '
    ~ 'or a dot.']) }}
{% endmacro %}

{% macro mariadb__faults_of_texts() %}
  {% set not_utf8, state = [], namespace(allowed=0, longest=0) %}
  {% for table, columns in shape().tables.items() %}
    {% set types, texts = types_of_columns(table), [] %}
    {% for name, type in columns.items() if type == 'text' and name != 'tag' %}{% do texts.append(name) %}{% endfor %}
    {% set extra = var('extra_columns') | map('string') | list if loop.first else [] %}
    {% if types %}
      {% set found = lengths_of_texts(table, texts + extra, types) %}
      {% set state.allowed, state.longest = found[0] | int, [state.longest, found[1] | int] | max %}
      {% for name in texts + extra %}
        {% set count = found[loop.index + 1] %}
        {% set advice = ', or remove the column from extra_columns.' if name in extra else '.' %}
        {% do not_utf8.append(table ~ '.' ~ shown(name) ~ ': ' ~ count ~ ' values are not UTF-8.\nCorrect them in the source'
          ~ advice) if count %}
      {% endfor %}
    {% endif %}
  {% endfor %}
  {{ return(fault_of_packet(state.allowed, state.longest) + not_utf8) }}
{% endmacro %}

{# max_allowed_packet, the bytes of the longest text in some columns, and how many values of each are not UTF-8. #}
{% macro lengths_of_texts(table, columns, types) %}
  {% set lengths, not_utf8, tags = [], [], [] %}
  {% for column in columns %}
    {% set bytes = 'cast(' ~ adapter.quote(column) ~ ' as binary)' %}
    {% set as_text = 'cast(convert(' ~ adapter.quote(column) ~ ' using utf8mb4) as binary)' %}
    {% set is_binary = modules.re.search('blob|binary', types[column]) %}
    {% do lengths.append('coalesce(max(octet_length(' ~ bytes ~ ')), 0)') %}
    {% do not_utf8.append('coalesce(sum(not ' ~ as_text ~ ' <=> ' ~ bytes ~ '), 0)' if is_binary else '0') %}
  {% endfor %}
  {% for tag in [text_tag(), date_tag(), 'raw'] + var('extra_tags') %}{% do tags.append(text_literal(tag)) %}{% endfor %}
  {{ return(run_query('select @@max_allowed_packet, greatest(0, ' ~ lengths | join(', ') ~ '), ' ~ not_utf8 | join(', ')
    ~ ' from ' ~ source_table(table)
    ~ (' where ' ~ exact_text('tag') ~ ' in (' ~ tags | join(', ') ~ ')' if 'tag' in types else '')).rows[0]) }}
{% endmacro %}

{% macro mysql__faults_of_texts() %}{{ return(mariadb__faults_of_texts()) }}{% endmacro %}

{#
  On the way to a list of links, a text grows to less than five times its bytes. The SQL of a model takes less than
  128 KB, and 16 KB for each extra column.
#}
{% macro fault_of_packet(allowed, longest_text) %}
  {% set for_sql = (128 + 16 * (var('extra_tags') + var('extra_columns')) | length) * 1024 %}
  {% set needed = [for_sql, 5 * longest_text] | max %}
  {% if allowed >= needed %}{{ return([]) }}{% endif %}
  {% set reason = ', because its longest text has ' ~ '{:,}'.format(longest_text) ~ ' bytes' if needed > for_sql else '' %}
  {{ return(['max_allowed_packet is ' ~ '{:,}'.format(allowed) ~ ' bytes on the server; a build of this source needs '
    ~ '{:,}'.format(needed) ~ reason ~ '.\nAsk the administrator of the server to raise it: '
    ~ 'set global max_allowed_packet = ' ~ (needed // 1048576 + 1) * 1048576 ~ '\n' ~ read_into_duckdb()]) }}
{% endmacro %}
