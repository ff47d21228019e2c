{#
  What is wrong with the types of the variables, one message for each; exporter/build.py says the same of --vars.
#}
{% macro faults_of_variables() %}
  {% set faults = [] %}
  {% for name in ['extra_tags', 'extra_columns'] %}
    {% set entries = var(name) %}
    {% if entries is string or entries is mapping or entries is not sequence or not all_are_texts(entries) %}
      {% do faults.append(name ~ " must be a list of texts, as in --vars '{" ~ name ~ ": [name]}', and not " ~ shown(entries)) %}
    {% endif %}
  {% endfor %}
  {% for name in ['text_tag', 'date_tag'] if not all_are_texts([var(name)]) %}
    {% do faults.append(name ~ " must be a text, as in --vars '{" ~ name ~ ": name}', and not " ~ shown(var(name))) %}
  {% endfor %}
  {% if var('bare_links') is not boolean %}
    {% do faults.append("bare_links must be true or false, as in --vars '{bare_links: false}', and not " ~ shown(var('bare_links'))) %}
  {% endif %}
  {{ return(faults) }}
{% endmacro %}

{# A number is the text of its digits. #}
{% macro all_are_texts(values) %}
  {% for value in values if value is not string and (value is not number or value is boolean) %}{{ return(false) }}{% endfor %}
  {{ return(true) }}
{% endmacro %}
