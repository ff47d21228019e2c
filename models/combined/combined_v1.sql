{{ config(materialized="view", enabled=var("shape") == "table_output") }}
-- One row per distinct pair of a date and a text of the same root: the original view, which never changes.
-- Both sides are filtered first and stored, because MariaDB has no hash join and would read the whole table
-- for each date.
with
    dates as (
        select root_id, experiment_id, probe, content
        from {{ source("gpt_experiments", "table_output") }}
        where tag = 'date' {{ computed_once() }}
    ),

    trimmed as (
        select root_id, content
        from {{ source("gpt_experiments", "table_output") }}
        where tag = 'trimmed' {{ computed_once() }}
    )

select distinct
    dates.root_id as root_id,
    dates.experiment_id as experiment_id,
    dates.probe as probe,
    {{ month_of_stored_date("dates.content") }} as date,
    trimmed.content as text
from dates
inner join trimmed on dates.root_id = trimmed.root_id
