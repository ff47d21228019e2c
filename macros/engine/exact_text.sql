{#
  Any column as Unicode text that compares character by character: no case folding, no padding.
  'Date' <> 'date' and 'date ' <> 'date' from here on; a number becomes its digits.
#}
{% macro exact_text(x) %}{{ return(adapter.dispatch('exact_text')(x)) }}{% endmacro %}

{% macro default__exact_text(x) %}{{ return('cast(' ~ x ~ ' as ' ~ dbt.type_string() ~ ')') }}{% endmacro %}

{# Both collations have NO PAD; convert() takes latin1 and utf8mb3 columns as well as numbers. #}
{% macro mariadb__exact_text(x) %}{{ return('convert(' ~ x ~ ' using utf8mb4) collate utf8mb4_nopad_bin') }}{% endmacro %}

{% macro mysql__exact_text(x) %}{{ return('convert(' ~ x ~ ' using utf8mb4) collate utf8mb4_0900_bin') }}{% endmacro %}
