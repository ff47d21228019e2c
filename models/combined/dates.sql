{{ config(post_hook="{{ add_index('output_id') }}") }}
-- One row per date row of the source: the date in it, or null if it cannot be read.
with
    flat_dates as (
        select output_id, content as date_text, {{ flat(clean("content")) }} as flat_date
        from {{ ref("stg_table_output") }}
        where tag = {{ text_literal(date_tag()) }} {{ computed_once() }}
    ),

    digits as (
        select output_id, date_text, {{ date_digits("flat_date") }} as date_digits
        from flat_dates {{ computed_once() }}
    )

select output_id, date_text, {{ existing_day("date_digits") }} as date
from digits
