-- The model links must list as many links for a text as its link_count, numbered from 1. If not, report
-- the text's id.
with
    listed as (
        select text_id, count(*) as links, max(link_number) as last_number
        from {{ ref("links") }}
        group by text_id
    )

select texts.text_id, texts.link_count, listed.links, listed.last_number
from {{ ref("texts") }} as texts
left join listed on texts.text_id = listed.text_id
where texts.link_count <> coalesce(listed.links, 0) or texts.link_count <> coalesce(listed.last_number, 0)
