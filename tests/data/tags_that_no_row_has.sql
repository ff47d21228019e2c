-- A tag that date_tag or extra_tags names is in no row: its column stays empty. Look at the model tags for
-- its spelling.
{{ config(severity="warn") }}
with
    wanted as (
        {%- for tag in [var("date_tag")] + var("extra_tags") %}
            {{ "union all " if not loop.first }} select {{ text_literal(tag) }} as wanted_tag
        {%- endfor %}
    ),

    found as (select distinct tag as found_tag from {{ ref("output_keys") }})

select wanted_tag
from wanted
left join found on wanted_tag = found_tag
where found_tag is null
