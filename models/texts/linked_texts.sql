{{ config(materialized="view") }}
-- One row per text that is not blank, as in texts, and where its links are. Pages for a browser read it.
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
    texts.text,
    {{ link_pieces("marked.marked_text") }} as pieces,
    texts.starts_with_probe,
    texts.link_count,
    texts.duplicate_of
    {{ extras_of("texts") }}
from {{ ref("marked_texts") }} as marked
inner join {{ ref("texts") }} as texts on marked.text_id = texts.text_id
