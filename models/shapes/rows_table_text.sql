-- One row per row of table_text, which holds the texts, and one per row of table_text_data, which holds their
-- dates (created) and other attributes.
select
    id as id,
    experiment_id as experiment_id,
    id as root_id,
    '(text)' as tag,
    1 as depth,
    {{ exact_text("probe") }} as probe,
    {{ exact_text("text") }} as content,
    null as model_name,
    null as reason
    {{ extra_columns_of("texts") }}
from {{ source_table("table_text") }} as texts

union all

select
    - attributes.id - 1 as id,
    texts.experiment_id as experiment_id,
    attributes.text_id as root_id,
    -- an attribute that has the name of a raw row or of a text is neither
    case
        when attributes.name in ('raw', '(text)')
        then {{ exact_text("concat('attribute ', attributes.name)") }}
        else {{ exact_text("attributes.name") }}
    end as tag,
    1 as depth,
    null as probe,
    {{ exact_text("attributes.value") }} as content,
    null as model_name,
    null as reason
    {{ extra_columns_of() }}
from {{ source_table("table_text_data") }} as attributes
left join {{ source_table("table_text") }} as texts on attributes.text_id = texts.id
