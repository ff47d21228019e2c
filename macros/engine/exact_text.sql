{#
  Any column as Unicode text that is compared character by character: case and spaces at the end count. A number becomes the
  text of its digits.

  | x    | y          | exact_text(x) = exact_text(y) |
  | date | date       | true                          |
  | date | Date       | false                         |
  | date | date{space} | false                        |
  | e    | {U+00E9}   | false                         |
#}
{% macro exact_text(x) %}{{ return(adapter.dispatch('exact_text')(x)) }}{% endmacro %}

{% macro default__exact_text(x) %}{{ return('cast(' ~ x ~ ' as ' ~ dbt.type_string() ~ ')') }}{% endmacro %}

{# Both collations have NO PAD; convert() takes latin1 and utf8mb3 columns as well as numbers. #}
{% macro mariadb__exact_text(x) %}{{ return('convert(' ~ x ~ ' using utf8mb4) collate utf8mb4_nopad_bin') }}{% endmacro %}

{% macro mysql__exact_text(x) %}{{ return('convert(' ~ x ~ ' using utf8mb4) collate utf8mb4_0900_bin') }}{% endmacro %}
