{#
  Problems with the variables: names that dbt_project.yml does not list, and values of the wrong type. dbt itself takes any
  name, so that a misspelt text_tga would build the wrong texts.
#}
{% macro faults_of_variables() %}
  {% set faults, known = [], project_meta().project_variables | list %}
  {% for name in invocation_args_dict.vars or {} if name not in known %}
    {% do faults.append("There is no variable '" ~ shown(name) ~ "'.\nValid: " ~ known | join(', ') ~ '.') %}
  {% endfor %}
  {% for name in ['extra_tags', 'extra_columns'] if not is_list_of_texts(var(name)) %}
    {% do faults.append(wrong_type(name, 'a list of names', '[name]')) %}
  {% endfor %}
  {% for name in ['text_tag', 'date_tag'] if not is_list_of_texts([var(name)]) %}
    {% do faults.append(wrong_type(name, 'a name', 'name')) %}
  {% endfor %}
  {% if var('bare_links') is not boolean %}
    {% do faults.append(wrong_type('bare_links', 'true or false', 'false')) %}
  {% endif %}
  {{ return(faults) }}
{% endmacro %}

{% macro wrong_type(name, type, example) %}
  {{ return(name ~ ' must be ' ~ type ~ ", as in --vars '{" ~ name ~ ': ' ~ example ~ "}', but is " ~ shown(var(name))) }}
{% endmacro %}

{# The texts of a list variable. If it has another type, dbt must still be able to read the models, to get to the check. #}
{% macro listed(name) %}{{ return(var(name) if is_list_of_texts(var(name)) else []) }}{% endmacro %}

{# A number counts as the text of its digits. #}
{% macro is_list_of_texts(value) %}
  {% if value is string or value is mapping or value is not sequence %}{{ return(false) }}{% endif %}
  {% for entry in value if entry is not string and (entry is not number or entry is boolean) %}{{ return(false) }}{% endfor %}
  {{ return(true) }}
{% endmacro %}
