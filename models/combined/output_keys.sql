-- One row per row of the source, without its long columns: what is needed to match, count and join.
select
    output_id,
    experiment_id,
    root_id,
    depth,
    tag,
    model_name,
    reason,
    case
        when tag in ({{ text_literal(text_tag()) }}, 'raw') then {{ sha256_hex("coalesce(probe, '')") }}
    end as probe_key
from {{ ref("stg_table_output") }}
