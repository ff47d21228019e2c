{{ config(post_hook="{{ add_index('text_id') }}") }}
-- One row per text that is not blank, as in texts, but each link is replaced by a space.
with
    without_links as (
        select text_id, {{ without_links("marked_text") }} as text
        from {{ ref("marked_texts") }}
        where marked_text like {{ text_literal("%" ~ link_marks().begin ~ "%") }} {{ computed_once() }}
    )

select
    texts.record_id,
    texts.text_id,
    texts.root_id,
    texts.experiment_id,
    texts.model_name,
    texts.probe,
    texts.file_stem,
    texts.date,
    texts.date_text,
    texts.date_match,
    texts.month,
    coalesce(without_links.text, texts.text) as text,
    texts.starts_with_probe,
    texts.link_count,
    texts.duplicate_of
    {{ extras_of("texts") }}
from {{ ref("texts") }} as texts
left join without_links on texts.text_id = without_links.text_id
