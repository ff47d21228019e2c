{{ config(post_hook="{{ add_index('text_id') }}") }}
-- One row per text that is not blank, with its links.
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

select
    concat('T', marked.text_id) as record_id,
    marked.text_id,
    marked.root_id,
    marked.experiment_id,
    coalesce({{ flat(clean("extras.model_name")) }}, models.model_name) as model_name,
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
    {{ extras_of("extras") }}
from marked
inner join first_texts on marked.text_key = first_texts.text_key
inner join {{ ref("extras") }} as extras on marked.text_id = extras.text_id
left join models on marked.experiment_id = models.experiment_id
