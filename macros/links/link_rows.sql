{#
  The links of a relation's marked texts, one row for each link: the named columns of the text's row, then link_number and
  url. On MySQL the relation must be a table or a CTE that ends in computed_once(), because json_table refuses a derived
  table that is merged.

  | id | marked                         | link_rows(inputs, [id], marked)   |
  | 7  | see {http://a.org/b}, {x.org}. | 7, 1, http://a.org/b; 7, 2, x.org |
  | 8  | no link                        |                                   |
#}
{% macro link_rows(relation, columns, marked) %}
  {{ return(adapter.dispatch('link_rows')(relation, columns, marked)) }}
{% endmacro %}

{% macro default__link_rows(relation, columns, marked) %}
  {%- set mark = link_marks() -%}
  select
    {{ columns | join(', ') }},
    cast(unnest(range(1, len(urls) + 1)) as {{ integer_type() }}) as link_number,
    unnest(urls) as url
  from (
    select
      {{ columns | join(', ') }},
      regexp_extract_all({{ marked }}, '{{ mark.begin }}([^{{ mark.end }}]*)', 1) as urls
    from {{ relation }}
    where {{ marked }} like '%{{ mark.begin }}%'
  ) as found
{% endmacro %}

{% macro spark__link_rows(relation, columns, marked) %}
  {%- set mark = link_marks() -%}
  select
    {{ columns | join(', ') }},
    cast(place + 1 as {{ integer_type() }}) as link_number,
    url
  from {{ relation }}
  lateral view posexplode(regexp_extract_all({{ marked }}, '{{ mark.begin }}([^{{ mark.end }}]*)', 1)) found as place, url
{% endmacro %}

{% macro mariadb__link_rows(relation, columns, marked) %}
  select
    texts.{{ columns | join(', texts.') }},
    cast(pieces.piece_number / 2 as {{ integer_type() }}) as link_number,
    {{ exact_text('pieces.piece') }} as url
  from {{ relation }} as texts
  inner join {{ texts_and_links('texts.' ~ marked) }} on pieces.piece_number % 2 = 0
  where texts.{{ marked }} like '%{{ link_marks().begin }}%'
{% endmacro %}

{% macro mysql__link_rows(relation, columns, marked) %}{{ return(mariadb__link_rows(relation, columns, marked)) }}{% endmacro %}


{# On the servers, the rows of a marked text: the marks cut it into text, link, text, link and so on. #}
{% macro texts_and_links(marked) %}
  {% set mark = link_marks() %}
  {{ return(json_rows(replace_marks(marked, [(mark.begin, mark.cut), (mark.end, mark.cut)]))) }}
{% endmacro %}
