{#
  Problems with the source's columns: missing columns and wrong types. Ids and depths must be whole numbers on
  every engine, because texts sort differently.
#}
{% macro faults_of_columns() %}
  {% set faults, extra = [], var('extra_columns') | map('string') | list %}
  {% for table, columns in shape().tables.items() %}
    {% set relation = source_table(table) %}
    {% if not load_relation(relation) and table not in (shape().optional or []) %}
      {% set others, hints = other_shapes(), [] %}
      {% for name, first, row_count in others %}
        {% do hints.append('\nThe schema has ' ~ first ~ " (rows: " ~ row_count ~ "). To read it, add: --vars '{shape: " ~ name ~ "}'") %}
      {% endfor %}
      {{ return(['There is no table ' ~ relation ~ ', or this user cannot read it.\n'
        ~ ('Run: probesheets run --target ' ~ target.name ~ ' --source FILE\nOr set ' if target.type == 'spark' else 'Set ')
        ~ 'PROBESHEETS_SOURCE_SCHEMA to the schema that holds ' ~ table ~ ' (now: ' ~ relation.schema ~ '). The user needs SELECT on it.' ~ hints | join]) }}
    {% endif %}
    {% set whole_numbers, texts = [], [] %}
    {% for name, type in columns.items() %}{% do (whole_numbers if type == 'integer' else texts).append(name) %}{% endfor %}
    {% do faults.extend(faults_of_types(table, whole_numbers, texts + (extra if loop.first else []))) %}
  {% endfor %}
  {{ return(faults) }}
{% endmacro %}

{# A table that is missing has no faults: it is optional. #}
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
    {% elif name in texts and modules.re.match('bit|geom|point|line|polygon|multi|array|map|struct|variant', type, modules.re.I) %}
      {% do faults.append(table ~ '.' ~ shown(name) ~ ' is of the type ' ~ type ~ ', which cannot be read as text.\n'
        ~ 'Remove it from extra_columns.') %}
    {% endif %}
  {% endfor %}
  {{ return(faults) }}
{% endmacro %}

{# {name: type} of a table of the source, with the shape's columns in lower case; empty if there is no such table. #}
{% macro types_of_columns(table) %}
  {% set relation, types = source_table(table), {} %}
  {% set columns = run_query('describe ' ~ relation).rows if load_relation(relation) else [] %}
  {% set used = shape().tables.get(table, {}) %}
  {% for column in columns %}
    {% set lower = column[0] | lower %}
    {% do types.update({lower if lower in used else column[0]: column[1] | string}) %}
  {% endfor %}
  {{ return(types) }}
{% endmacro %}
