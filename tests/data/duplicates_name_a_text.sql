-- duplicate_of must be the record_id of a text with the same probe. If not, report the record's id.
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
