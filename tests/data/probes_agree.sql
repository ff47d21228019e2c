-- probes must count the texts and links of each probe as texts has them. If not, build both again.
with
    counted as (
        select file_stem, 1 as texts, link_count as links
        from {{ ref("texts") }}
        union all
        select file_stem, - text_count as texts, - link_count as links
        from {{ ref("probes") }}
    )

select file_stem, sum(texts) as texts, sum(links) as links
from counted
group by file_stem
having sum(texts) <> 0 or sum(links) <> 0
