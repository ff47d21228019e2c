-- One row per row of table_output, without its long columns: all that choosing, counting and joining need.
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
