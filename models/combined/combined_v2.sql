{{ config(post_hook="{{ add_index('text_id') }}") }}
-- One row per text row, with the date that belongs to it. Linear in the rows of the source.
select
    texts.output_id as text_id,
    texts.root_id,
    texts.experiment_id,
    names.probe,
    texts.probe as probe_text,
    names.probe_key,
    dates.date,
    dates.date_text,
    {{ month_name("dates.date") }} as month,
    matches.found as date_match,
    texts.content as text
from {{ ref("tag_matches") }} as matches
inner join {{ ref("stg_table_output") }} as texts on matches.text_id = texts.output_id
inner join
    {{ ref("probe_names") }} as names on {{ sha256_hex("coalesce(texts.probe, '')") }} = names.probe_key
left join {{ ref("dates") }} as dates on matches.output_id = dates.output_id
where matches.tag = {{ text_literal(date_tag()) }}
