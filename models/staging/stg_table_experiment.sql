-- One row per experiment; empty if the source has no table_experiment.
{% set experiments = load_relation(source('gpt_experiments', 'table_experiment')) if execute %}
{% if experiments %}
    select id as experiment_id, {{ exact_text("model_name") }} as model_name
    from {{ source("gpt_experiments", "table_experiment") }}
{% else %} select 1 as experiment_id, '' as model_name from (select 1 as nothing) as no_table where 1 = 0
{% endif %}
