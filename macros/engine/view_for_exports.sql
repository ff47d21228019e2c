{#
  How to build a view that an export reads: on Spark as a table, because an export reads files there, and a view has none.
#}
{% macro view_for_exports() %}{{ return(adapter.dispatch('view_for_exports')()) }}{% endmacro %}

{% macro default__view_for_exports() %}{{ return('view') }}{% endmacro %}

{% macro spark__view_for_exports() %}{{ return('table') }}{% endmacro %}
