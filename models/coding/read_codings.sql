{{ config(materialized="ephemeral") }}
-- One row per text that a coder has seen, with an empty code, and one per coding, as they were read.
select
    {{ exact_text("coder") }} as coder,
    {{ exact_text("file") }} as file,
    {{ exact_text("place") }} as place,
    {{ exact_text("record") }} as record,
    {{ exact_text("text_sha256") }} as text_sha256,
    cast(coalesce(text_length, '0') as {{ integer_type() }}) as text_length,
    cast(round as {{ integer_type() }}) as round,
    coalesce({{ exact_text("code") }}, '') as code,
    cast(start_position as {{ integer_type() }}) as start_position,
    cast(end_position as {{ integer_type() }}) as end_position
from {{ loaded_seed("codings") }}
