{#
  Before anything is built: what extra_tags and extra_columns list must be fit to be columns of the model texts and of
  its spreadsheets. exporter/check.py says the same without dbt.
#}
{% macro check_names() %}
  {% set names = (var('extra_tags') + var('extra_columns')) | map('string') | list %}
  {% set taken = ['record_id', 'text_id', 'root_id', 'experiment_id', 'model_name', 'probe', 'file_stem', 'date', 'date_text',
    'date_match', 'month', 'text', 'starts_with_probe', 'link_count', 'duplicate_of'] %}
  {% for name in names %}
    {% if not modules.re.fullmatch('[^!^&<.:#"`\\s](?:[^"`\n\t]{0,61}[^"`\\s])?', name) %}
      {{ exceptions.raise_compiler_error("extra_tags or extra_columns: " ~ name | tojson ~ " cannot be the name of a column. "
        ~ "A name has 1 to 63 characters on one line, no quotation mark (neither double nor back), and does not begin with one of ! ^ & < . : #") }}
    {% elif name | lower in taken or names | map('lower') | list | select('equalto', name | lower) | list | length > 1 %}
      {{ exceptions.raise_compiler_error("extra_tags or extra_columns: the name " ~ name ~ " is taken. The columns of texts are: "
        ~ taken | join(', ') ~ ".") }}
    {% elif letters_and_digits(name) in headers_beside_extra_columns() %}
      {{ exceptions.raise_compiler_error("extra_tags or extra_columns: the name " ~ name ~ " is a header of the spreadsheets "
        ~ "(case and punctuation do not count). Taken: " ~ headers_beside_extra_columns() | join(', ') ~ ".") }}
    {% endif %}
  {% endfor %}
{% endmacro %}

{# The headers of all kinds of spreadsheet that have the extra columns, too; and id, which NVivo adds. #}
{% macro headers_beside_extra_columns() %}
  {% set headers = ['id'] %}
  {% for exposure in graph.exposures.values() %}
    {% set columns = (exposure.config.meta or {}).get('columns', []) %}
    {% if columns | selectattr('more', 'defined') | list %}
      {% for column in columns if column.name %}{% do headers.append(letters_and_digits(column.header or column.name)) %}{% endfor %}
    {% endif %}
  {% endfor %}
  {{ return(headers | unique | list) }}
{% endmacro %}

{% macro letters_and_digits(header) %}{{ return(modules.re.sub('[^0-9a-z]', '', header | lower) or header) }}{% endmacro %}
