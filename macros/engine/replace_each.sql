{# Nested replace(): every (old, new) pair of SQL expressions, the first pair innermost. #}
{% macro replace_each(x, pairs) %}
  {% set sql = namespace(text=x) %}
  {% for old, new in pairs %}
    {% set sql.text = 'replace(' ~ sql.text ~ ', ' ~ old ~ ', ' ~ new ~ ')' %}
  {% endfor %}
  {{ return(sql.text) }}
{% endmacro %}
