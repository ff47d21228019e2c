-- Source data: captions whose time is missing or earlier than that of the caption before.
-- Their order stays that of the file.
{{ config(**dirty_data("caption", only="transcript")) }}
with
    numbered as (
        select
            id as caption,
            "Start" as start_time,
            list_sum(
                list_transform(
                    list_reverse(string_split("Start", ':')),
                    lambda part,
                    place:try_cast(part as double) * power(60, place - 1)
                )
            ) as seconds
        from {{ source("gpt_experiments", "captions") }}
    )

select caption, start_time
from
    (
        select
            *,
            last_value(seconds ignore nulls) over (
                order by caption rows between unbounded preceding and 1 preceding
            ) as seconds_before
        from numbered
    ) as timed
where seconds is null or seconds < seconds_before
