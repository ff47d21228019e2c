{{ config(post_hook="{{ add_index('text_id') }}") }}
-- One row per text row and tag (date_tag and each of extra_tags): the row of that tag that belongs to it.
-- It is chosen among the rows of the same experiment and root (nulls are equal): the row at the same depth,
-- the lowest id if there are several, else the first row of the root. No join, linear in the number of rows.
{% set text_tag = text_literal(text_tag()) %}
{% set tags = ([date_tag()] + listed("extra_tags")) | map("string") | unique(case_sensitive=true) | list %}
with
    candidates as (
        {%- for tag in tags %}
            {{ "union all" if not loop.first }}
            select
                {{ loop.index }} as tag_number,
                output_id,
                experiment_id,
                root_id,
                depth,
                case when tag = {{ text_tag }} then output_id end as text_id,
                case when tag = {{ text_literal(tag) }} then output_id end as match_id
            from {{ ref("output_keys") }}
            where reason is null and tag in ({{ text_tag }}, {{ text_literal(tag) }})
        {%- endfor %}
    ),

    at_depths as (
        -- apart from the windows below: together with them, MariaDB 10.11 gives nulls for this one
        select
            *, min(match_id) over (partition by tag_number, experiment_id, root_id, depth) as first_at_depth
        from candidates
    ),

    compared as (
        select
            tag_number,
            text_id,
            -- a missing depth is not the same depth as another missing depth
            case when depth is not null then first_at_depth end as at_same_depth,
            count(text_id) over (partition by tag_number, experiment_id, root_id) as texts_of_root,
            count(match_id) over (partition by tag_number, experiment_id, root_id) as matches_of_root,
            first_value(match_id) over (
                partition by tag_number, experiment_id, root_id
                order by
                    case when match_id is null then 1 else 0 end,
                    case when depth is null then 1 else 0 end,
                    depth,
                    output_id
            ) as first_of_root
        from at_depths
    )

select
    text_id,
    case
        tag_number
        {%- for tag in tags %} when {{ loop.index }} then {{ exact_text(text_literal(tag)) }} {%- endfor %}
    end as tag,
    coalesce(at_same_depth, first_of_root) as output_id,
    case
        when first_of_root is null
        then 'none'
        when at_same_depth is null
        then 'borrowed'
        when matches_of_root = texts_of_root
        then 'exact'
        else 'by depth'
    end as found
from compared
where text_id is not null
