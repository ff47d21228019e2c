-- One row per text row or raw row that was left out, with the reason. A shape may give reasons of its own.
with
    outputs as (
        select output_id, experiment_id, root_id, tag, probe_key, reason
        from {{ ref("output_keys") }}
        where probe_key is not null
    ),

    roots_with_text as (
        select distinct root_id from outputs where tag = {{ text_literal(text_tag()) }} {{ computed_once() }}
    ),

    reasons as (
        select text_id as output_id, 'blank text' as reason
        from {{ ref("marked_texts") }}
        where is_blank

        union all

        select output_id, reason
        from outputs
        where reason is not null

        union all

        select outputs.output_id, 'no text row' as reason
        from outputs
        left join roots_with_text on outputs.output_id = roots_with_text.root_id
        where
            outputs.tag = 'raw'
            and roots_with_text.root_id is null
            and outputs.tag <> {{ text_literal(text_tag()) }}
            {{ computed_once() }}
    )

select
    concat('R', outputs.output_id) as record_id,
    outputs.output_id,
    outputs.experiment_id,
    outputs.root_id,
    outputs.tag,
    names.probe,
    {{ clean("coalesce(source_rows.content, '')") }} as content,
    reasons.reason,
    case
        when reasons.reason = 'blank text'
        then 'The text is empty, or nothing is left of it after cleaning.'
        when reasons.reason = 'no text row'
        then 'No text was cut from this output: no text row names it as its root.'
        else {{ flat(clean("reasons.reason")) }}
    end as explanation
from reasons
inner join outputs on reasons.output_id = outputs.output_id
inner join {{ ref("probe_names") }} as names on outputs.probe_key = names.probe_key
inner join {{ ref("stg_table_output") }} as source_rows on reasons.output_id = source_rows.output_id
