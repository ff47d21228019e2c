{#
  Ends a CTE with long expressions that are used more than once. MariaDB and MySQL would copy the expressions to each place
  that uses them. A limit that is never reached makes them store the rows instead.
#}
{% macro computed_once() %}{{ return(adapter.dispatch('computed_once')()) }}{% endmacro %}

{% macro default__computed_once() %}{{ return('') }}{% endmacro %}

{% macro mariadb__computed_once() %}{{ return('limit 9223372036854775807') }}{% endmacro %}

{% macro mysql__computed_once() %}{{ return(mariadb__computed_once()) }}{% endmacro %}
