{#
  Problems with the names in extra_tags and extra_columns. Each becomes a column of the model texts and a header of its
  spreadsheets.
#}
{% macro faults_of_names() %}
  {% set faults, seen, headers = [], [], headers_beside_extra_columns() %}
  {% set columns = graph.nodes['model.probesheets.texts'].columns.keys() | list %}
  {% for name in (var('extra_tags') + names_of_extra_columns()) | map('string') %}
    {% set letters, fault = letters_and_digits(name), namespace(text='') %}
    {% if not is_fit_for_a_column(name) %}
      {% set fault.text = 'cannot be the name of a column.\nA name has 1 to 63 printable characters, at least one of them a '
        ~ 'letter or digit. It must not contain a double quotation mark, a backtick or an escape such as _x0041_, and '
        ~ 'must not begin with one of ! ^ & < . : #'
        ~ ('. On a server, it must not contain emoji.' if target.type != 'duckdb' else '') %}
    {% elif name | lower | replace('\u0307', '') in columns %}
      {% set fault.text = 'is taken.\nThe columns of texts are: ' ~ columns | join(', ') %}
    {% elif letters in headers %}
      {% set fault.text = 'is a header of the spreadsheets.\nThese headers are taken (case and punctuation do not matter): '
        ~ headers | join(', ') %}
    {% elif letters in seen %}
      {% set fault.text = 'appears twice.\nNames must differ in more than case and punctuation.' %}
    {% endif %}
    {% do faults.append('extra_tags or extra_columns: the name "' ~ shown(name) ~ '" ' ~ fault.text) if fault.text %}
    {% do seen.append(letters) %}
  {% endfor %}
  {% set count = (var('extra_tags') + var('extra_columns')) | length %}
  {% if count > 150 and target.type != 'duckdb' %}
    {% do faults.append('extra_tags and extra_columns list ' ~ count ~ ' names.\nA table on a server '
      ~ 'can have at most 150. Remove some.') %}
  {% endif %}
  {{ return(faults) }}
{% endmacro %}

{#
  Whether the exporter takes a name as a header (it has the same rule), and a server as a name: quotation marks end a name
  in SQL, and servers take no character above U+FFFF.
#}
{% macro is_fit_for_a_column(name) %}
  {{ return(name.isprintable() and name | trim == name and name | length <= 63 and letters_and_digits(name) != ''
    and not modules.re.search('^[!^&<.:#]|["`]|_x[0-9A-Fa-f]{4}_', name)
    and (target.type == 'duckdb' or not modules.re.search('[\U00010000-\U0010ffff]', name))) }}
{% endmacro %}

{# The other headers of all kinds of spreadsheet that show the extra columns; and id, which NVivo adds. #}
{% macro headers_beside_extra_columns() %}
  {% set headers = ['id'] %}
  {% for exposure in graph.exposures.values() %}
    {% set columns = (exposure.config.meta or {}).get('columns') or [] %}
    {% if columns | selectattr('more', 'defined') | list %}
      {% for column in columns if column.name %}
        {% do headers.append(letters_and_digits(column.header or column.name)) %}
      {% endfor %}
    {% endif %}
  {% endfor %}
  {{ return(headers | unique | list) }}
{% endmacro %}

{# Two headers are the same if these are the same; the exporter has the same rule. #}
{% macro letters_and_digits(header) %}{{ return(modules.re.sub('[\\W_]', '', (header | string).casefold())) }}{% endmacro %}
