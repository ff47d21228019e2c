-- No row has a tag that date_tag or extra_tags lists, so its column is empty. To see all tags, run:
-- probesheets check
{{ config(severity="warn", meta={"shows": "wanted_tag"}) }}
with
    wanted as (
        {%- for tag in [date_tag()] + listed("extra_tags") %}
            {{ "union all " if not loop.first }} select {{ text_literal(tag) }} as wanted_tag
        {%- endfor %}
    ),

    found as (select distinct tag as found_tag from {{ ref("output_keys") }})

select wanted_tag
from wanted
left join found on wanted_tag = found_tag
where found_tag is null and {{ "1 = 1" if not execute or shape().has_tags else "1 = 0" }}
