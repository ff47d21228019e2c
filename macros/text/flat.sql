{#
  A cleaned text on one line: each run of spaces and line feeds becomes one space. Takes only what clean() returns.

  | cleaned      | flat(cleaned) |
  | a b{LF}c     | a b c         |
  | a{LF}{LF}b   | a b           |
#}
{% macro flat(cleaned) %}
  {% set lf = uchar(10) %}
  {{ return(replace_each(cleaned, [('concat(' ~ lf ~ ', ' ~ lf ~ ')', "' '"), (lf, "' '")])) }}
{% endmacro %}
