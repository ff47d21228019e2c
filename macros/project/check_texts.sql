{#
  Problems with long texts and with bytes that are not text, on the servers. A server's functions return null for a text
  over max_allowed_packet. For bytes that are not UTF-8, MySQL returns null, and MariaDB question marks.
#}
{% macro faults_of_texts() %}{{ return(adapter.dispatch('faults_of_texts')() if flags.WHICH != 'test' else []) }}{% endmacro %}

{% macro default__faults_of_texts() %}{{ return([]) }}{% endmacro %}

{% macro mariadb__faults_of_texts() %}
  {% set columns = ['content', 'probe'] + var('extra_columns') | map('string') | list %}
  {% set types, lengths, not_utf8, tags = types_of_columns('table_output'), [], [], [] %}
  {% for column in columns %}
    {% set bytes = 'cast(' ~ adapter.quote(column) ~ ' as binary)' %}
    {% set as_text = 'cast(convert(' ~ adapter.quote(column) ~ ' using utf8mb4) as binary)' %}
    {% set is_binary = modules.re.search('blob|binary', types[column]) %}
    {% do lengths.append('coalesce(max(octet_length(' ~ bytes ~ ')), 0)') %}
    {% do not_utf8.append('coalesce(sum(not ' ~ as_text ~ ' <=> ' ~ bytes ~ '), 0)' if is_binary else '0') %}
  {% endfor %}
  {% for tag in [var('text_tag'), var('date_tag'), 'raw'] + var('extra_tags') %}{% do tags.append(text_literal(tag)) %}{% endfor %}
  {% set found = run_query('select @@max_allowed_packet, greatest(' ~ lengths | join(', ') ~ '), ' ~ not_utf8 | join(', ')
    ~ ' from ' ~ source('gpt_experiments', 'table_output')
    ~ ' where ' ~ exact_text('tag') ~ ' in (' ~ tags | join(', ') ~ ')').rows[0] %}
  {% set faults = fault_of_packet(found[0] | int, found[1] | int) %}
  {% for column in columns %}
    {% set count = found[loop.index + 1] %}
    {% set advice = ', or remove the column from extra_columns.' if loop.index > 2 else '.' %}
    {% do faults.append('table_output.' ~ shown(column) ~ ': ' ~ count ~ ' values are not UTF-8.\nCorrect them in the source'
      ~ advice) if count %}
  {% endfor %}
  {{ return(faults) }}
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
