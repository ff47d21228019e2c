-- Source data: texts whose root has no raw row, so the output that they were cut from is unknown.
{{ config(**dirty_data("text_id", only="table_output")) }}
with
    raw_rows as (
        select output_id as raw_id from {{ ref("output_keys") }} where tag = 'raw' {{ computed_once() }}
    )

select texts.output_id as text_id, texts.root_id
from {{ ref("output_keys") }} as texts
left join raw_rows on texts.root_id = raw_rows.raw_id
where texts.tag = {{ text_literal(text_tag()) }} and texts.tag <> 'raw' and raw_rows.raw_id is null
