{# Post-hook: an index where the engine joins by index (MariaDB, MySQL); nothing on engines that hash. #}
{% macro add_index(column) %}{{ return(adapter.dispatch('add_index')(column)) }}{% endmacro %}

{% macro default__add_index(column) %}{{ return('') }}{% endmacro %}

{% macro mariadb__add_index(column) %}{{ return('create index by_' ~ column ~ ' on ' ~ this ~ ' (' ~ column ~ ')') }}{% endmacro %}

{% macro mysql__add_index(column) %}{{ return(mariadb__add_index(column)) }}{% endmacro %}
