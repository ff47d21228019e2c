-- answers has a row per answer, under these names whatever the file calls them.
select
    id as id,
    null as experiment_id,
    id as root_id,
    'text' as tag,
    1 as depth,
    probe as probe,
    text as content,
    model as model_name,
    coalesce(reason, case when text is null then 'no answer' end) as reason
    {{ extra_columns_of("answers") }}
from {{ source_table("answers") }} as answers

union all

select
    - id - 1 as id,
    null as experiment_id,
    id as root_id,
    'date' as tag,
    1 as depth,
    null as probe,
    date as content,
    null as model_name,
    null as reason
    {{ extra_columns_of() }}
from {{ source_table("answers") }} as answers
where date is not null
