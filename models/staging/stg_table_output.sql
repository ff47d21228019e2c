-- One row per row of table_output. Only names and types change; text is compared character by character.
-- Each column has an alias, because DuckDB would keep the capitals of the source.
select
    id as output_id,
    experiment_id as experiment_id,
    root_id as root_id,
    depth as depth,
    {{ exact_text("tag") }} as tag,
    {{ exact_text("probe") }} as probe,
    {{ exact_text("content") }} as content
    {%- for column in listed("extra_columns") %}
        , {{ exact_text(adapter.quote(column)) }} as extra_{{ loop.index }}
    {%- endfor %}
from {{ source("gpt_experiments", "table_output") }}
