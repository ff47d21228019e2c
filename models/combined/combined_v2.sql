{{ config(post_hook="{{ add_index('text_id') }}") }}
-- One row per text row, with the date that belongs to it. Linear in the rows of the source.
with chosen as ({{ choose_by_depth(var("date_tag")) }})

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
    chosen.found as date_match,
    texts.content as text
from chosen
inner join {{ ref("stg_table_output") }} as texts on chosen.text_id = texts.output_id
inner join
    {{ ref("probe_names") }} as names on {{ sha256_hex("coalesce(texts.probe, '')") }} = names.probe_key
left join {{ ref("dates") }} as dates on chosen.output_id = dates.output_id
