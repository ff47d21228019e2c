-- One row per experiment; empty if the source has no table_experiment with model names.
{% if execute and "model_name" in types_of_columns("table_experiment") %}
    select id as experiment_id, {{ exact_text("model_name") }} as model_name
    from {{ source("gpt_experiments", "table_experiment") }}
{% else %} select 1 as experiment_id, '' as model_name from (select 1 as nothing) as no_table where 1 = 0
{% endif %}
