{{ config(post_hook="{{ add_index('file_stem') }}") }}
-- One row per probe that has texts, with a summary of its spreadsheets.
with
    counted as (
        select
            min(probe) as probe,
            file_stem,
            count(*) as text_count,
            cast(sum(link_count) as {{ integer_type() }}) as link_count
        from {{ ref("texts") }}
        group by file_stem
    ),

    -- separate, because MySQL turns a null that is first in a group into 0000-00-00, and then refuses it
    dated as (
        select file_stem, min(date) as first_date, max(date) as last_date
        from {{ ref("texts") }}
        where date is not null
        group by file_stem
    )

select
    counted.probe,
    counted.file_stem,
    counted.text_count,
    counted.link_count,
    dated.first_date,
    dated.last_date
from counted
left join dated on counted.file_stem = dated.file_stem
