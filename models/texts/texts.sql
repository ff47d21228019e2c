{{ config(post_hook="{{ add_index('text_id') }}") }}
-- One row per text that is not blank, links kept.
{% set extra_tags, extra_columns = var("extra_tags"), var("extra_columns") %}
with
    marked as (select * from {{ ref("marked_texts") }} where not is_blank),

    first_texts as (
        select text_key, min(text_id) as text_id
        from {{ ref("marked_texts") }}
        where not is_blank
        group by text_key {{ computed_once() }}
    ),

    models as (
        select experiment_id, {{ flat(clean("model_name")) }} as model_name
        from {{ ref("stg_table_experiment") }} {{ computed_once() }}
    )
    {%- for tag in extra_tags %}
        ,

        tag_{{ loop.index }} as (
            select chosen.text_id, {{ clean("outputs.content") }} as content
            from ({{ choose_by_depth(tag) }}) as chosen
            inner join
                {{ ref("stg_table_output") }} as outputs on chosen.output_id = outputs.output_id
                {{ computed_once() }}
        )
    {%- endfor %}
    {%- if extra_columns %}
        ,

        carried as (
            select
                output_id
                {%- for column in extra_columns %}
                    , {{ clean("extra_" ~ loop.index) }} as column_{{ loop.index }}
                {%- endfor %}
            from {{ ref("stg_table_output") }}
            where tag = {{ text_literal(var("text_tag")) }} {{ computed_once() }}
        )
    {%- endif %}

select
    concat('T', marked.text_id) as record_id,
    marked.text_id,
    marked.root_id,
    marked.experiment_id,
    models.model_name,
    marked.probe,
    marked.file_stem,
    marked.date,
    {{ flat(clean("marked.date_text")) }} as date_text,
    marked.date_match,
    marked.month,
    {{ without_marks("marked.marked_text") }} as text,
    marked.starts_with_probe,
    {{ link_count("marked.marked_text") }} as link_count,
    case when first_texts.text_id < marked.text_id then concat('T', first_texts.text_id) end as duplicate_of
    {%- for tag in extra_tags %}, tag_{{ loop.index }}.content as {{ adapter.quote(tag) }} {%- endfor %}
    {%- for column in extra_columns %}
        , carried.column_{{ loop.index }} as {{ adapter.quote(column) }}
    {%- endfor %}
from marked
inner join first_texts on marked.text_key = first_texts.text_key
left join models on marked.experiment_id = models.experiment_id
{%- for tag in extra_tags %}
    left join tag_{{ loop.index }} on marked.text_id = tag_{{ loop.index }}.text_id
{%- endfor %}
{%- if extra_columns %} left join carried on marked.text_id = carried.output_id {%- endif %}
