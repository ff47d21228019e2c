{# Problems with the source's rows: no row has the text tag, or an id is missing or repeated. #}
{% macro faults_of_rows() %}
  {% set faults = faults_of_text_tag() %}
  {% for table in shape().tables %}{% do faults.extend(faults_of_ids(table)) %}{% endfor %}
  {{ return(faults) }}
{% endmacro %}

{% macro faults_of_text_tag() %}
  {% set outputs, tag, listed, wanted = rows_of_shape(), exact_text('tag'), [], text_tag() %}
  {% if run_query('select 1 from ' ~ outputs ~ ' where ' ~ tag ~ ' = ' ~ text_literal(wanted) ~ ' limit 1').rows %}
    {{ return([]) }}
  {% endif %}
  {% set tags = 'select ' ~ tag ~ ' as tag, count(*) as row_count from ' ~ outputs ~ ' group by 1 order by 2 desc limit 20' %}
  {% for name, row_count in run_query(tags).rows %}{% do listed.append(shown(name) ~ ' (' ~ row_count ~ ')') %}{% endfor %}
  {{ return(["text_tag is '" ~ shown(wanted) ~ "', but no row of " ~ first_table(shape()) ~ " has this tag.\n"
    ~ "The tags, with their numbers of rows: " ~ listed | join(', ') ~ ". Choose one: --vars '{text_tag: ...}'"]) }}
{% endmacro %}

{# The models hold ids as signed 64-bit numbers. #}
{% macro faults_of_ids(table) %}
  {% set relation, largest, faults = source_table(table), 9223372036854775807, [] %}
  {# the attributes of a text get negative ids, unless they have rows of their own #}
  {% set smallest = 0 if table == first_table(shape()) and table != 'table_output' else -largest %}
  {% set repeated = 'select id, count(*) as row_count from ' ~ relation ~ ' group by id'
    ~ ' having count(*) > 1 or id is null or id > ' ~ largest ~ ' or id < ' ~ smallest ~ ' limit 1' %}
  {% for id, row_count in (run_query(repeated).rows if load_relation(relation) else []) %}
    {% do faults.append(table ~ ' has ' ~ row_count ~ (' row ' if row_count == 1 else ' rows ')
      ~ ('without an id' if id is none else 'with the id ' ~ id)
      ~ '.\nEach row needs a unique id of at most ' ~ largest ~ (' and at least 0.' if smallest == 0 else '.')) %}
  {% endfor %}
  {{ return(faults) }}
{% endmacro %}
