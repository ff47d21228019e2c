{#
  Problems with the variables: names that dbt_project.yml does not list, names there that look misspelt, and values of the
  wrong type. dbt itself takes any name, so that a misspelt text_tga would build the wrong texts.
#}
{% macro faults_of_variables() %}
  {% set faults, known = [], project_meta().project_variables | list %}
  {% set own = ['shape', 'text_tag', 'date_tag', 'extra_tags', 'extra_columns', 'bare_links', 'dirty_data'] %}
  {% for name in invocation_args_dict.vars or {} if name not in known %}
    {% do faults.append("There is no variable '" ~ shown(name) ~ "'.\nValid: " ~ known | join(', ') ~ '.') %}
  {% endfor %}
  {% for name in ['extra_tags', 'extra_columns'] if not is_list_of_texts(var(name)) %}
    {% do faults.append(wrong_type(name, 'a list of names', '[name]')) %}
  {% endfor %}
  {% for name in ['text_tag', 'date_tag'] if var(name) is not none and not is_list_of_texts([var(name)]) %}
    {% do faults.append(wrong_type(name, 'a name', 'name')) %}
  {% endfor %}
  {% for name in ['text_tag', 'date_tag', 'extra_tags'] if var(name) and not shape().has_tags %}
    {% do faults.append(name ~ ' is set, but a source of the shape ' ~ var('shape') ~ ' has no tags.\nRemove it. For more columns '
      ~ "of the source, set extra_columns, as in --vars '{extra_columns: [name]}'") %}
  {% endfor %}
  {% if var('dirty_data') not in ['warn', 'error', 'ignore'] %}
    {% do faults.append(wrong_type('dirty_data', 'warn, error or ignore', 'ignore')) %}
  {% endif %}
  {% for name in known if name not in own and looks_like_one_of(own, name) and not is_used(name) %}
    {% do faults.append("dbt_project.yml sets the variable '" ~ shown(name) ~ "', but no model or test uses it.\nThe variables of "
      ~ 'this project are: ' ~ own | join(', ') ~ '. Correct its name, or remove it.') %}
  {% endfor %}
  {% if var('bare_links') is not boolean %}
    {% do faults.append(wrong_type('bare_links', 'true or false', 'false')) %}
  {% endif %}
  {{ return(faults) }}
{% endmacro %}

{# Whether a name begins like one of ours, so that it may be misspelt. Others may be read by macros, which cannot be seen here. #}
{% macro looks_like_one_of(own, name) %}
  {% for one in own if one[:5] == name[:5] %}{{ return(true) }}{% endfor %}
  {{ return(false) }}
{% endmacro %}

{# Whether a model or test, such as an analyst's own, reads a variable. #}
{% macro is_used(name) %}
  {% for node in graph.nodes.values() %}
    {% if "'" ~ name ~ "'" in (node.raw_code or '') or '"' ~ name ~ '"' in (node.raw_code or '') %}{{ return(true) }}{% endif %}
  {% endfor %}
  {{ return(false) }}
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
