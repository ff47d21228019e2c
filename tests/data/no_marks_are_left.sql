-- The marks of the link rules must not be in an exported text. If one is, report the text's id.
with
    readable as (
        select text_id, text
        from {{ ref("texts") }}
        union all
        select text_id, text
        from {{ ref("texts_without_links") }}
        union all
        select text_id, url as text
        from {{ ref("links") }}
    )

select text_id, text
from readable
where
    {% for mark in link_marks().values() -%}
        {{ "or " if not loop.first }}instr(text, {{ text_literal(mark) }}) > 0
    {% endfor %}
