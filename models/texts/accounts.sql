-- One row: how many rows the source has, and where they are now. The export checks its files against it.
with
    source_rows as (
        select
            sum(case when tag = {{ text_literal(text_tag()) }} then 1 else 0 end) as text_rows,
            sum(case when tag = 'raw' then 1 else 0 end) as raw_rows
        from {{ ref("output_keys") }}
    ),

    roots as (
        select distinct case when tag = 'raw' then output_id else root_id end as root_id
        from {{ ref("output_keys") }}
        where tag = {{ text_literal(text_tag()) }} {{ computed_once() }}
    ),

    raw_rows_with_text as (
        select count(*) as raw_rows_with_text
        from {{ ref("output_keys") }} as outputs
        inner join roots on outputs.output_id = roots.root_id
        where outputs.tag = 'raw'
    ),

    delivered as (
        select
            count(*) as texts,
            sum(link_count) as links,
            sum(case when date is null and date_text <> '' then 1 else 0 end) as dates_not_understood
        from {{ ref("texts") }}
    ),

    unsearched as (
        select count(*) as texts_too_long_for_links from {{ ref("marked_texts") }} where links_too_long
    ),

    reasons as (
        select
            sum(case when reason = 'blank text' then 1 else 0 end) as blank_texts,
            sum(
                case when reason not in ('blank text', 'no text row') then 1 else 0 end
            ) as texts_left_out_by_shape,
            sum(case when reason = 'no text row' then 1 else 0 end) as raw_rows_without_text
        from {{ ref("left_out") }}
    )

select
    cast(coalesce(text_rows, 0) as {{ integer_type() }}) as text_rows,
    cast(coalesce(texts, 0) as {{ integer_type() }}) as texts,
    cast(coalesce(blank_texts, 0) as {{ integer_type() }}) as blank_texts,
    cast(coalesce(texts_left_out_by_shape, 0) as {{ integer_type() }}) as texts_left_out_by_shape,
    cast(coalesce(raw_rows, 0) as {{ integer_type() }}) as raw_rows,
    cast(coalesce(raw_rows_with_text, 0) as {{ integer_type() }}) as raw_rows_with_text,
    cast(coalesce(raw_rows_without_text, 0) as {{ integer_type() }}) as raw_rows_without_text,
    cast(coalesce(links, 0) as {{ integer_type() }}) as links,
    cast(coalesce(dates_not_understood, 0) as {{ integer_type() }}) as dates_not_understood,
    cast(coalesce(texts_too_long_for_links, 0) as {{ integer_type() }}) as texts_too_long_for_links
from source_rows
cross join raw_rows_with_text
cross join delivered
cross join unsearched
cross join reasons
