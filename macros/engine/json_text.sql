{# A text as a JSON string, in quotes. #}
{% macro json_text(x) %}{{ return(adapter.dispatch('json_text')(x)) }}{% endmacro %}

{% macro default__json_text(x) %}{{ return('cast(to_json(' ~ x ~ ') as ' ~ dbt.type_string() ~ ')') }}{% endmacro %}

{# Its to_json takes no text, but a list of one. #}
{% macro spark__json_text(x) %}
  {{ return("trim(both '[]' from to_json(array(" ~ x ~ ")))") }}
{% endmacro %}

{% macro mariadb__json_text(x) %}{{ return('json_quote(' ~ x ~ ')') }}{% endmacro %}

{% macro mysql__json_text(x) %}{{ return(mariadb__json_text(x)) }}{% endmacro %}
