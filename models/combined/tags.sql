-- One row per tag of the source: how many rows have it, and what they are used for.
with counted as (select tag, count(*) as row_count from {{ ref("output_keys") }} group by tag)

select
    {{ clean("coalesce(tag, '')") }} as tag,
    tag as tag_text,
    row_count,
    case
        when tag = {{ text_literal(text_tag()) }}
        then 'text'
        when tag = {{ text_literal(date_tag()) }}
        then 'date'
        when tag = 'raw'
        then 'raw'
        {%- for extra in listed("extra_tags") %}
            when tag = {{ text_literal(extra) }} then 'extra column'
        {%- endfor %}
        else 'not used'
    end as used_as
from counted
