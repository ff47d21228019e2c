{# A text as a JSON string, in quotes. #}
{% macro json_text(x) %}{{ return(adapter.dispatch('json_text')(x)) }}{% endmacro %}

{% macro default__json_text(x) %}{{ return('cast(to_json(' ~ x ~ ') as ' ~ dbt.type_string() ~ ')') }}{% endmacro %}

{% macro mariadb__json_text(x) %}{{ return('json_quote(' ~ x ~ ')') }}{% endmacro %}

{% macro mysql__json_text(x) %}{{ return(mariadb__json_text(x)) }}{% endmacro %}
