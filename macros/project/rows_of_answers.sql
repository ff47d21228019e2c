{#
  The rows of a shape with one answer in each row of its table: the text, and its date if it has one. `rows` has the columns id,
  probe, text, date and model; `reason` is SQL that says why a text is left out, null if it is not.
#}
{% macro rows_of_answers(rows, reason="case when coalesce(text, '') = '' then 'no answer' end") %}
select
    id as id,
    cast(null as {{ integer_type() }}) as experiment_id,
    id as root_id,
    'text' as tag,
    1 as depth,
    probe as probe,
    text as content,
    model as model_name,
    {{ reason }} as reason
    {{ extra_columns_of("answers") }}
from {{ rows }} as answers

union all

select
    - id - 1 as id,
    cast(null as {{ integer_type() }}) as experiment_id,
    id as root_id,
    'date' as tag,
    1 as depth,
    null as probe,
    {{ exact_text('date') }} as content,
    null as model_name,
    null as reason
    {{ extra_columns_of() }}
from {{ rows }} as answers
where {{ exact_text('date') }} <> ''
{% endmacro %}
