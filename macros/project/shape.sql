{#
  The shape of the source: the meta of the model rows_SHAPE, where SHAPE is the variable `shape`. Its keys:

  tables        {table: {column: type}}: what the source must have. The types are `integer`, `text` and `json`. The first table has
                a row per text; extra_columns are columns of this table.
  optional      tables, and columns as in `table.column`, that may be missing
  text_tag      the tag of the rows that become texts; date_tag: of the rows with their dates
  has_tags      true if rows have tags of their own, so that text_tag, date_tag and extra_tags can choose among them
  repeats_probe true if texts may begin with their probe, which is then removed
  usual_names   {column: lists of names}: what a file may call the columns of the first table; a later list counts only if no
                name of the lists before it is there
  by_columns    false if the columns of a file never choose this shape; true by default
  duckdb_only   true if its SQL is for DuckDB alone
  one_file      true if several files, or --append, would run into each other
  keeps_ids     true if a Record ID is the id of a row of the first table, so that two copies can be compared
  own_columns   columns of the first table that the spreadsheets always show, if the source has them
#}
{% macro shape() %}{{ return(meta_of_shape(var('shape'))) }}{% endmacro %}

{# dbt's unit tests have no graph; they set the variables that they need. #}
{% macro meta_of_shape(name) %}
  {{ return(graph.nodes['model.probesheets.rows_' ~ name].config.meta if graph.nodes else {}) }}
{% endmacro %}

{# The meta of all shapes, by name. #}
{% macro all_shapes() %}
  {% set shapes = {} %}
  {% for node in graph.nodes.values() if node.resource_type == 'model' and node.name.startswith('rows_') and node.config.meta.tables %}
    {% do shapes.update({node.name[5:]: node.config.meta}) %}
  {% endfor %}
  {{ return(shapes) }}
{% endmacro %}

{# The table with a row per text. #}
{% macro first_table(meta) %}{{ return(meta.tables | first) }}{% endmacro %}

{# The tag of text rows, and that of date rows: the variable, else the shape's own. The graph is empty while dbt parses. #}
{% macro text_tag() %}{{ return(tag_of('text_tag')) }}{% endmacro %}

{% macro date_tag() %}{{ return(tag_of('date_tag')) }}{% endmacro %}

{% macro tag_of(variable) %}
  {{ return((var(variable) if var(variable) is not none else shape()[variable] if execute else '') | string) }}
{% endmacro %}

{#
  The names of the columns that the spreadsheets show in addition: those of the shape, then extra_columns. None in dbt's unit
  tests, whose rows do not have them.
#}
{% macro names_of_extra_columns() %}
  {% if execute and not graph.nodes %}{{ return([]) }}{% endif %}
  {% set own = shape().own_columns or [] if execute else [] %}
  {% set found = types_of_columns(first_table(shape())) if own else {} %}
  {{ return(own | select('in', found) | list + listed('extra_columns')) }}
{% endmacro %}

{# The extra columns of a table as the end of a shape's select list; nulls without a table. #}
{% macro extra_columns_of(table=none) %}
  {%- for name in names_of_extra_columns() %}, {{ table ~ '.' ~ adapter.quote(name) if table else 'null' }} as extra_{{ loop.index }}{% endfor %}
{%- endmacro %}

{# The rows of the shape, for the from clause of a query before the models are built. They are of the incoming copy if there is one. #}
{% macro rows_of_shape() %}
  {{ return('(' ~ render(graph.nodes['model.probesheets.rows_' ~ var('shape')].raw_code) ~ '\n) as source_rows') }}
{% endmacro %}
