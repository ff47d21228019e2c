{# The character with a code point, as SQL: uchar(0x2019) is a right single quote. This keeps the files ASCII. #}
{% macro uchar(code_point) %}{{ return(adapter.dispatch('uchar')(code_point)) }}{% endmacro %}

{% macro default__uchar(code_point) %}{{ return('chr(' ~ code_point ~ ')') }}{% endmacro %}

{% macro mariadb__uchar(code_point) %}
  {{ return('char(0x' ~ ('%c' | format(code_point)).encode('utf-8').hex() ~ ' using utf8mb4)') }}
{% endmacro %}

{# Its chr() ends at 255. #}
{% macro spark__uchar(code_point) %}
  {{ return("'" ~ '\\u%04x' | format(code_point) ~ "'" if code_point < 0x10000 else "'%c'" | format(code_point)) }}
{% endmacro %}

{% macro mysql__uchar(code_point) %}{{ return(mariadb__uchar(code_point)) }}{% endmacro %}
