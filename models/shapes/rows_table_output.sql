-- One row per row of table_output, as it is.
select
    id as id,
    experiment_id as experiment_id,
    root_id as root_id,
    tag as tag,
    depth as depth,
    probe as probe,
    content as content,
    null as model_name,
    null as reason
    {{ extra_columns_of("outputs") }}
from {{ source_table("table_output") }} as outputs
