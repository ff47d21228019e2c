{# The integer type for cast(); on the servers, cast() does not take bigint. #}
{% macro integer_type() %}{{ return(adapter.dispatch('integer_type')()) }}{% endmacro %}

{% macro default__integer_type() %}{{ return('bigint') }}{% endmacro %}

{% macro mariadb__integer_type() %}{{ return('signed') }}{% endmacro %}

{% macro mysql__integer_type() %}{{ return(mariadb__integer_type()) }}{% endmacro %}
