-- One row per row of table_output, without its long columns: what is needed to match, count and join.
select
    output_id,
    experiment_id,
    root_id,
    depth,
    tag,
    case
        when tag in ({{ text_literal(var("text_tag")) }}, 'raw') then {{ sha256_hex("coalesce(probe, '')") }}
    end as probe_key
from {{ ref("stg_table_output") }}
