{#
  Nested replace() of (old, new) pairs of SQL expressions, in their order.

  | x  | replace_each(x, [("'a'", "'b'"), ("'b'", "'c'")]) |
  | ab | cc                                                |
#}
{% macro replace_each(x, pairs) %}
  {% set sql = namespace(text=x) %}
  {% for old, new in pairs %}
    {% set sql.text = 'replace(' ~ sql.text ~ ', ' ~ old ~ ', ' ~ new ~ ')' %}
  {% endfor %}
  {{ return(sql.text) }}
{% endmacro %}
