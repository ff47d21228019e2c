{{ config(alias="codings") }}
-- One row per coding: a stretch of a text with a code, and whether it counts.
{% set lf, cr = uchar(10), uchar(13) %}
with
    known_codes as (
        select distinct {{ exact_text("code") }} as known_code
        from {{ loaded_seed("codebook") }} {{ computed_once() }}
    ),

    placed as (
        select
            read_codings.*,
            seen.record_id,
            seen.text_id,
            coalesce(seen.status, 'unknown record') as status_of_text,
            seen.seen_as,
            seen.line_end,
            seen.piece_start - seen.opening_length as shift,
            case when seen.seen_as = 'texts' then texts.text else without_links.text end as text,
            known_codes.known_code
        from {{ ref("read_codings") }} as read_codings
        left join
            {{ ref("seen_texts") }} as seen
            on read_codings.coder = seen.coder
            and read_codings.file = seen.file
            and read_codings.place = seen.place
        left join {{ ref("texts") }} as texts on seen.text_id = texts.text_id
        left join {{ ref("texts_without_links") }} as without_links on seen.text_id = without_links.text_id
        left join known_codes on read_codings.code = known_codes.known_code
        where read_codings.code <> '' {{ computed_once() }}
    ),

    -- the coder's text may have had CR LF, which positions count as two characters
    shifted as (
        select
            placed.*,
            case
                when line_end = 2 then replace(text, {{ lf }}, concat({{ cr }}, {{ lf }})) else text
            end as seen_text,
            case when start_position + shift > 0 then start_position + shift else 0 end as seen_start,
            case when end_position + shift > 0 then end_position + shift else 0 end as seen_end
        from placed {{ computed_once() }}
    ),

    moved as (
        select
            shifted.*,
            case
                when shift is not null then char_length(replace(left(seen_text, seen_start), {{ cr }}, ''))
            end as text_start,
            case
                when shift is not null then char_length(replace(left(seen_text, seen_end), {{ cr }}, ''))
            end as text_end
        from shifted {{ computed_once() }}
    )

select
    row_number() over (order by coder, file, place, start_position, end_position, code) as coding_id,
    coalesce(record_id, record) as record_id,
    text_id,
    code,
    coder,
    case
        when status_of_text <> 'matched'
        then status_of_text
        when known_code is null and (select count(*) from known_codes) > 0
        then 'unknown code'
        else 'matched'
    end as status,
    seen_as,
    coalesce(text_start, start_position) as start_position,
    coalesce(text_end, end_position) as end_position,
    substring(text, text_start + 1, text_end - text_start) as quote,
    round,
    file,
    place
from moved
