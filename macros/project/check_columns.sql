{#
  Problems with the source's columns: missing columns and wrong types. Ids and depths must be whole numbers on
  every engine, because texts sort differently.
#}
{% macro faults_of_columns() %}
  {% set outputs = source_table('table_output') %}
  {% if not load_relation(outputs) %}
    {{ return(['There is no table ' ~ outputs ~ ', or this user cannot read it.\nSet PROBESHEETS_SOURCE_SCHEMA to the '
      ~ 'schema that holds table_output (now: ' ~ outputs.schema ~ '). The user needs SELECT on it.']) }}
  {% endif %}
  {% set used, extra = used_columns(), var('extra_columns') | map('string') | list %}
  {{ return(faults_of_types('table_output', used.whole_numbers, used.texts + extra)
    + faults_of_types('table_experiment', ['id'], used.texts_of_experiments)) }}
{% endmacro %}

{# The columns of the source that the models use. The engines ignore case in their names. #}
{% macro used_columns() %}
  {{ return({'whole_numbers': ['id', 'experiment_id', 'root_id', 'depth'], 'texts': ['tag', 'probe', 'content'],
    'texts_of_experiments': ['model_name']}) }}
{% endmacro %}

{# A table that is missing has no faults: table_experiment is optional. #}
{% macro faults_of_types(table, whole_numbers, texts) %}
  {% set types, faults = types_of_columns(table), [] %}
  {% set integer = 'bigint$' if target.type == 'duckdb' else '(tiny|small|medium|big)?int\\b' %}
  {% for name in (whole_numbers + texts) | unique(case_sensitive=true) if types %}
    {% set type = types.get(name, '') %}
    {% if not type %}
      {% do faults.append(table ~ ' has no column ' ~ shown(name) ~ '.\nIts columns are: ' ~ shown(types | join(', '))) %}
    {% elif name in whole_numbers and not modules.re.match(integer, type, modules.re.I) %}
      {% do faults.append(table ~ '.' ~ name ~ ' is of the type ' ~ type ~ ', but must hold whole numbers.\n'
        ~ read_into_duckdb()) %}
    {% elif name in texts and modules.re.match('bit|geom|point|line|polygon|multi', type, modules.re.I) %}
      {% do faults.append(table ~ '.' ~ shown(name) ~ ' is of the type ' ~ type ~ ', which cannot be read as text.\n'
        ~ 'Remove it from extra_columns.') %}
    {% endif %}
  {% endfor %}
  {{ return(faults) }}
{% endmacro %}

{# {name: type} of a table of the source, with used_columns() in lower case; empty if there is no such table. #}
{% macro types_of_columns(table) %}
  {% set relation, types = source_table(table), {} %}
  {% set columns = run_query('describe ' ~ relation).rows if load_relation(relation) else [] %}
  {% set used = used_columns().values() | sum(start=[]) %}
  {% for column in columns %}
    {% set lower = column[0] | lower %}
    {% do types.update({lower if lower in used else column[0]: column[1] | string}) %}
  {% endfor %}
  {{ return(types) }}
{% endmacro %}
