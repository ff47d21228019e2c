-- One row per code, probe and month in which a coder has seen a text: how many of the texts have the code.
with
    seen as (
        select distinct text_id from {{ ref("seen_texts") }} where status = 'matched' {{ computed_once() }}
    ),

    dated as (
        select
            seen.text_id,
            texts.probe,
            texts.file_stem,
            texts.month,
            extract(year from texts.date) * 100 + extract(month from texts.date) as year_and_month
        from seen
        inner join {{ ref("texts") }} as texts on seen.text_id = texts.text_id {{ computed_once() }}
    ),

    coded as (select distinct text_id, code from {{ ref("coded_texts") }} {{ computed_once() }}),

    codes as (select distinct code from coded {{ computed_once() }}),

    counted as (
        select
            codes.code,
            dated.probe,
            dated.file_stem,
            dated.month,
            dated.year_and_month,
            count(coded.text_id) as text_count,
            count(*) as texts_seen
        from dated
        cross join codes
        left join coded on dated.text_id = coded.text_id and codes.code = coded.code
        group by
            codes.code, dated.probe, dated.file_stem, dated.month, dated.year_and_month {{ computed_once() }}
    )

select
    row_number() over (order by code, probe, file_stem, year_and_month is null, year_and_month) as count_id,
    code,
    probe,
    file_stem,
    month,
    cast(year_and_month as {{ integer_type() }}) as year_and_month,
    text_count,
    texts_seen,
    cast(text_count as double) / texts_seen as share
from counted
