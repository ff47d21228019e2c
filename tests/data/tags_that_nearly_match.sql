-- Source data: tags that differ from a used tag only in case or spaces. Correct them in the source.
{{ config(fail_calc="coalesce(sum(row_count), 0)", **dirty_data("tag_text")) }}
{% set used = ["raw", text_tag(), date_tag()] + listed("extra_tags") %}
select tag_text, row_count
from {{ ref("tags") }}
where
    used_as = 'not used'
    and lower(tag)
    in ({%- for tag in used %}{{ text_literal(tag | lower) }}{{ ", " if not loop.last }}{% endfor -%})
