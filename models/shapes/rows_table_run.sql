-- One row per response of table_run, and one per date. The model is in table_generate_params, the date in
-- table_experiment.
select
    runs.id as id,
    runs.experiment_id as experiment_id,
    runs.id as root_id,
    'response' as tag,
    1 as depth,
    {{ exact_text("runs.prompt") }} as probe,
    {{ exact_text("runs.response") }} as content,
    {{ exact_text("params.model") }} as model_name,
    null as reason
    {{ extra_columns_of("runs") }}
from {{ source_table("table_run") }} as runs
left join {{ source_table("table_generate_params") }} as params on runs.generator_params = params.id

union all

select
    - runs.id - 1 as id,
    runs.experiment_id as experiment_id,
    runs.id as root_id,
    'date' as tag,
    1 as depth,
    null as probe,
    {{ exact_text("experiments.date") }} as content,
    null as model_name,
    null as reason
    {{ extra_columns_of() }}
from {{ source_table("table_run") }} as runs
inner join {{ source_table("table_experiment") }} as experiments on runs.experiment_id = experiments.id
where experiments.date is not null
