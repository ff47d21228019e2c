-- One row per text that a coder has seen in a file, and whether it is the text of this project.
-- A cell takes only a piece of a long text: T5-2 is the second piece of T5.
{% set lf, cr = uchar(10), uchar(13) %}
with
    seen as (select * from {{ ref("read_codings") }} where code = '' {{ computed_once() }}),

    -- T5-2 has the parts 5 and 2
    parts as (
        select
            seen.*,
            case
                when instr(record, '-') > 0 then left(record, instr(record, '-') - 1) else record
            end as record_id,
            case
                when instr(record, '-') > 0 then substring(record, instr(record, '-') + 1) else '1'
            end as piece_text
        from seen {{ computed_once() }}
    ),

    documents as (
        select
            parts.*,
            case
                when {{ is_whole_number("piece_text") }} and {{ is_whole_number("substring(record_id, 2)") }}
                then cast(substring(record_id, 2) as {{ integer_type() }})
            end as number,
            case
                when {{ is_whole_number("piece_text") }} then cast(piece_text as {{ integer_type() }}) else 1
            end as piece
        from parts {{ computed_once() }}
    ),

    -- the lengths of the pieces before a piece, and of all pieces
    measured as (
        select
            documents.*,
            texts.text_id,
            max(piece) over (partition by coder, file, documents.record_id) as pieces,
            cast(
                sum(text_length) over (partition by coder, file, documents.record_id) as {{ integer_type() }}
            ) as whole_length,
            cast(
                sum(text_length) over (partition by coder, file, documents.record_id order by piece)
                - text_length as {{ integer_type() }}
            ) as length_before
        from documents
        left join
            {{ ref("texts") }} as texts
            on documents.number = texts.text_id
            and documents.record_id = texts.record_id {{ computed_once() }}
    ),

    known as (
        select text_id, 1 as form, 'texts' as seen_as, text
        from {{ ref("texts") }}
        where text_id in (select text_id from measured)

        union all

        select text_id, 2 as form, 'texts_without_links' as seen_as, text
        from {{ ref("texts_without_links") }}
        where text_id in (select text_id from measured)
    ),

    -- a program may have changed the line ends; QualCoder's survey import begins a text with the name of
    -- its column
    with_line_ends as (
        select known.*, 1 as line_end, text as seen_text
        from known

        union all

        select
            known.*,
            2 as line_end,
            {{ exact_text("replace(text, " ~ lf ~ ", concat(" ~ cr ~ ", " ~ lf ~ "))") }} as seen_text
        from known
    ),

    forms as (
        select with_line_ends.*, {{ exact_text("''") }} as opening
        from with_line_ends

        union all

        select with_line_ends.*, {{ exact_text("concat('[Text]:', " ~ lf ~ ")") }} as opening
        from with_line_ends
        where line_end = 1

        union all

        select with_line_ends.*, {{ exact_text("concat('[Text]:', " ~ cr ~ ", " ~ lf ~ ")") }} as opening
        from with_line_ends
        where line_end = 2 {{ computed_once() }}
    ),

    compared as (
        select
            measured.coder,
            measured.file,
            measured.place,
            forms.seen_as,
            forms.line_end,
            char_length(opening) as opening_length,
            case
                when pieces = 1 then 0 else length_before - (piece - 1) * char_length(opening)
            end as piece_start,
            case
                when pieces = 1
                then text_length - char_length(opening)
                else whole_length - pieces * char_length(opening)
            end as seen_length,
            seen_text,
            forms.opening,
            measured.text_length,
            measured.text_sha256,
            form * 100 + line_end * 10 + char_length(opening) as preference
        from measured
        inner join forms on measured.text_id = forms.text_id {{ computed_once() }}
    ),

    matched as (
        select compared.*, row_number() over (partition by coder, file, place order by preference) as choice
        from compared
        where
            seen_length = char_length(seen_text)
            and text_length >= opening_length
            and {{
                sha256_hex(
                    "concat(opening, substring(seen_text, piece_start + 1, text_length - opening_length))"
                )
            }} = text_sha256
            {{ computed_once() }}
    )

select
    measured.coder,
    measured.file,
    measured.place,
    measured.record,
    measured.record_id,
    measured.text_id,
    measured.round,
    case
        when measured.text_id is null
        then 'unknown record'
        when matched.choice is null
        then 'text differs'
        else 'matched'
    end as status,
    matched.seen_as,
    matched.line_end,
    matched.opening_length,
    matched.piece_start
from measured
left join
    matched
    on measured.coder = matched.coder
    and measured.file = matched.file
    and measured.place = matched.place
    and matched.choice = 1
