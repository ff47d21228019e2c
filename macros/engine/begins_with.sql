{# True if a text begins with another, character for character; nothing in it is a pattern. #}
{% macro begins_with(x, beginning) %}{{ return(adapter.dispatch('begins_with')(x, beginning)) }}{% endmacro %}

{% macro default__begins_with(x, beginning) %}{{ return('starts_with(' ~ x ~ ', ' ~ beginning ~ ')') }}{% endmacro %}

{% macro mariadb__begins_with(x, beginning) %}
  {{ return('left(' ~ x ~ ', char_length(' ~ beginning ~ ')) = ' ~ beginning) }}
{% endmacro %}

{% macro mysql__begins_with(x, beginning) %}{{ return(mariadb__begins_with(x, beginning)) }}{% endmacro %}
