{#
  True if a text begins with another, character by character. No character is a wildcard.

  | x      | beginning | begins_with(x, beginning) |
  | Date x | Date      | true                      |
  | date x | Date      | false                     |
  | a_c    | a%        | false                     |
  | a      | a{space}  | false                     |
#}
{% macro begins_with(x, beginning) %}{{ return(adapter.dispatch('begins_with')(x, beginning)) }}{% endmacro %}

{% macro default__begins_with(x, beginning) %}{{ return('starts_with(' ~ x ~ ', ' ~ beginning ~ ')') }}{% endmacro %}

{% macro spark__begins_with(x, beginning) %}{{ return('startswith(' ~ x ~ ', ' ~ beginning ~ ')') }}{% endmacro %}

{% macro mariadb__begins_with(x, beginning) %}
  {{ return('left(' ~ x ~ ', char_length(' ~ beginning ~ ')) = ' ~ beginning) }}
{% endmacro %}

{% macro mysql__begins_with(x, beginning) %}{{ return(mariadb__begins_with(x, beginning)) }}{% endmacro %}
