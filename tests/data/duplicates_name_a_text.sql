-- duplicate_of must name a text that is there; if not, report the record's id.
with
    originals as (
        select record_id as original_id, file_stem as original_stem
        from {{ ref("texts") }} {{ computed_once() }}
    )

select texts.record_id, texts.duplicate_of
from {{ ref("texts") }} as texts
left join
    originals on texts.duplicate_of = originals.original_id and texts.file_stem = originals.original_stem
where texts.duplicate_of is not null and originals.original_id is null
