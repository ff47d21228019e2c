{{ config(post_hook="{{ add_index('text_id') }}") }}
-- One row per text row: a column for each of extra_tags and extra_columns, cleaned.
{% set extra_tags, extra_columns = listed("extra_tags"), listed("extra_columns") %}
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
        select output_id from {{ ref("output_keys") }} where tag = {{ text_literal(var("text_tag")) }}
    )

select
    text_rows.output_id as text_id
    {%- for tag in extra_tags %}, by_text.tag_{{ loop.index }} as {{ adapter.quote(tag) }} {%- endfor %}
    {%- for column in extra_columns %}
        , {{ clean("outputs.extra_" ~ loop.index) }} as {{ adapter.quote(column) }}
    {%- endfor %}
from text_rows
{%- if extra_tags %} left join by_text on text_rows.output_id = by_text.text_id {%- endif %}
{%- if extra_columns %}
    inner join {{ ref("stg_table_output") }} as outputs on text_rows.output_id = outputs.output_id
{%- endif %}
