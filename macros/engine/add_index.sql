{# Post-hook: an index for the servers, which join by index; nothing on DuckDB, which joins by hash. #}
{% macro add_index(column) %}{{ return(adapter.dispatch('add_index')(column)) }}{% endmacro %}

{% macro default__add_index(column) %}{{ return('') }}{% endmacro %}

{% macro mariadb__add_index(column) %}
  {{ return('create index by_' ~ column ~ ' on ' ~ this ~ ' (' ~ column ~ ')') }}
{% endmacro %}

{% macro mysql__add_index(column) %}{{ return(mariadb__add_index(column)) }}{% endmacro %}
