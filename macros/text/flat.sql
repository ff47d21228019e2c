{# A cleaned text on one line: each run of spaces and line feeds is one space. Takes what clean() gives. #}
{% macro flat(cleaned) %}
  {% set lf = uchar(10) %}
  {{ return(replace_each(cleaned, [('concat(' ~ lf ~ ', ' ~ lf ~ ')', "' '"), (lf, "' '")])) }}
{% endmacro %}
