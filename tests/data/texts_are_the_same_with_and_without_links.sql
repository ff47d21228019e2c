-- texts and texts_without_links must have the same texts. If not, build both again.
with
    both_models as (
        select text_id, record_id, link_count
        from {{ ref("texts") }}
        union all
        select text_id, record_id, link_count
        from {{ ref("texts_without_links") }}
    )

select text_id, record_id, link_count
from both_models
group by text_id, record_id, link_count
having count(*) <> 2
