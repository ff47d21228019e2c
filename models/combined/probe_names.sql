{{ config(post_hook="{{ add_index('probe_key') }}") }}
-- One row per stored probe, in the forms that the other models need.
with
    firsts as (
        select probe_key, min(output_id) as output_id
        from {{ ref("output_keys") }}
        where probe_key is not null
        group by probe_key {{ computed_once() }}
    ),

    cleaned as (
        select firsts.probe_key, {{ clean("coalesce(outputs.probe, '')") }} as clean_probe
        from firsts
        inner join
            {{ ref("stg_table_output") }} as outputs on firsts.output_id = outputs.output_id
            {{ computed_once() }}
    ),

    named as (
        select
            probe_key,
            clean_probe,
            {{ flat("clean_probe") }} as flat_probe,
            case when clean_probe = '' then '(no probe)' else {{ flat("clean_probe") }} end as probe
        from cleaned {{ computed_once() }}
    )

select probe_key, clean_probe, flat_probe, probe, {{ file_stem("probe") }} as file_stem
from named
