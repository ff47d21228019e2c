{% set is_table = var("shape") != "table_output" %}
{{
    config(
        materialized="table" if is_table else "view",
        post_hook="{{ add_index('output_id') if config.get('materialized') == 'table' else '' }}",
    )
}}
-- One row per row of the shape. Only names and types change; text is compared character by character.
-- Of table_output, a view: the servers find a row by the primary key. The union of another shape has none.
select
    {{ "cast(id as " ~ integer_type() ~ ")" if is_table else "id" }} as output_id,
    cast(experiment_id as {{ integer_type() }}) as experiment_id,
    {{ "cast(root_id as " ~ integer_type() ~ ")" if is_table else "root_id" }} as root_id,
    depth as depth,
    {{ exact_text("tag") }} as tag,
    {{ exact_text("probe") }} as probe,
    {{ exact_text("content") }} as content,
    {{ exact_text("model_name") }} as model_name,
    {{ exact_text("reason") }} as reason
    {%- for column in names_of_extra_columns() %}
        , {{ exact_text("extra_" ~ loop.index) }} as extra_{{ loop.index }}
    {%- endfor %}
from {{ ref("rows_" ~ var("shape")) }}
