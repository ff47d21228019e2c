-- One row per text row, with the date that belongs to it. Linear in the rows of the source.
with chosen as ({{ choose_by_depth(var("date_tag")) }})

select
    texts.output_id as text_id,
    texts.root_id,
    texts.experiment_id,
    texts.probe,
    dates.date,
    dates.date_text,
    {{ month_name("dates.date") }} as month,
    chosen.found as date_match,
    texts.content as text
from chosen
inner join {{ ref("stg_table_output") }} as texts on chosen.text_id = texts.output_id
left join {{ ref("dates") }} as dates on chosen.output_id = dates.output_id
