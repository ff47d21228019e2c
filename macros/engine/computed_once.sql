{#
  Ends a CTE whose expressions are long and used several times below. MariaDB and MySQL would paste them into
  every place that uses them; a limit that never bites makes them keep the rows instead.
#}
{% macro computed_once() %}{{ return(adapter.dispatch('computed_once')()) }}{% endmacro %}

{% macro default__computed_once() %}{{ return('') }}{% endmacro %}

{% macro mariadb__computed_once() %}{{ return('limit 9223372036854775807') }}{% endmacro %}

{% macro mysql__computed_once() %}{{ return(mariadb__computed_once()) }}{% endmacro %}
