{{ config(post_hook="{{ add_index('text_id') }}") }}
-- depends_on: {{ ref("stg_table_output") }}
-- One row per text row with a text: its model, if the row names one, and a column for each extra tag and
-- column.
{% set extra_tags, extra_columns = listed("extra_tags"), names_of_extra_columns() %}
with
    {%- if extra_tags %}
        contents as (
            select matches.text_id, matches.tag, {{ clean("outputs.content") }} as content
            from {{ ref("tag_matches") }} as matches
            inner join {{ ref("stg_table_output") }} as outputs on matches.output_id = outputs.output_id
            where
                matches.tag in (
                    {%- for tag in extra_tags %}
                        {{ text_literal(tag) }}{{ ", " if not loop.last }}
                    {% endfor -%}
                )
                {{ computed_once() }}
        ),

        by_text as (
            select
                text_id
                {%- for tag in extra_tags %}
                    , max(case when tag = {{ text_literal(tag) }} then content end) as tag_{{ loop.index }}
                {%- endfor %}
            from contents
            group by text_id {{ computed_once() }}
        ),
    {%- endif %}

    text_rows as (
        select output_id, model_name
        from {{ ref("output_keys") }}
        where tag = {{ text_literal(text_tag()) }} and reason is null
    )

select
    text_rows.output_id as text_id,
    text_rows.model_name
    {%- for tag in extra_tags %}, by_text.tag_{{ loop.index }} as {{ adapter.quote(tag) }} {%- endfor %}
    {%- for column in extra_columns %}
        , {{ clean("outputs.extra_" ~ loop.index) }} as {{ adapter.quote(column) }}
    {%- endfor %}
from text_rows
{%- if extra_tags %} left join by_text on text_rows.output_id = by_text.text_id {%- endif %}
{%- if extra_columns %}
    inner join {{ ref("stg_table_output") }} as outputs on text_rows.output_id = outputs.output_id
{%- endif %}
