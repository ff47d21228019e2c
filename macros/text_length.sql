{# The number of characters (code points) of a text; length() counts bytes on the servers. #}
{% macro text_length(x) %}{{ return(adapter.dispatch('text_length')(x)) }}{% endmacro %}

{% macro default__text_length(x) %}{{ return('length(' ~ x ~ ')') }}{% endmacro %}

{% macro mariadb__text_length(x) %}{{ return('char_length(' ~ x ~ ')') }}{% endmacro %}

{% macro mysql__text_length(x) %}{{ return(mariadb__text_length(x)) }}{% endmacro %}
