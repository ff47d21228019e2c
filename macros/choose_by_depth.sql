{#
  For every text row, the row of another tag that belongs to it, chosen among those of its experiment and root
  (nulls are equal): the one at the text's depth, lowest id first, else the root's first. One pass, no join.

  text_id | output_id of the chosen row, or null | found: exact, by depth, borrowed, none
#}
{% macro choose_by_depth(tag) %}
    with candidates as (
        select
            output_id,
            experiment_id,
            root_id,
            depth,
            case when tag = {{ text_literal(var('text_tag')) }} then output_id end as text_id,
            case when tag = {{ text_literal(tag) }} then output_id end as attribute_id
        from {{ ref('output_keys') }}
        where tag in ({{ text_literal(var('text_tag')) }}, {{ text_literal(tag) }})
    ),

    at_depths as (
        -- apart from the windows below: together with them, MariaDB 10.11 gives nulls for this one
        select
            *,
            min(attribute_id) over (partition by experiment_id, root_id, depth) as first_at_depth
        from candidates
    ),

    compared as (
        select
            text_id,
            -- an unknown depth is no depth that two rows could share
            case when depth is not null then first_at_depth end as at_same_depth,
            count(text_id) over (partition by experiment_id, root_id) as texts_of_root,
            count(attribute_id) over (partition by experiment_id, root_id) as attributes_of_root,
            first_value(attribute_id) over (
                partition by experiment_id, root_id
                order by
                    case when attribute_id is null then 1 else 0 end,
                    case when depth is null then 1 else 0 end,
                    depth,
                    output_id
            ) as first_of_root
        from at_depths
    )

    select
        text_id,
        coalesce(at_same_depth, first_of_root) as output_id,
        case
            when first_of_root is null then 'none'
            when at_same_depth is null then 'borrowed'
            when attributes_of_root = texts_of_root then 'exact'
            else 'by depth'
        end as found
    from compared
    where text_id is not null
{% endmacro %}
