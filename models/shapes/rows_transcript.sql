-- One row per utterance, one per date, and one per caption that goes on in an utterance. Adjacent captions
-- of one speaker are an utterance, with the number of the first; the speaker takes the place of the probe.
-- Only DuckDB reads it, because only files have it.
{% set mark, after_name = "chr(64978)", "chr(64979)" %}
{% set word = "\\p{Lu}[\\p{L}\\p{M}\\p{N}._\\x27-]*" %}
-- words of a name without a capital
{% set small = "al|bin|da|de|del|della|den|der|di|dos|du|el|la|le|of|ter|the|van|von|y|zu" %}
{% set first = "(?:(?:da|de|del|della|di|dos|du|ter|van|von) (?:(?:den|der|la|le) )?)?" ~ word %}
{% set further = "(?: (?:(?:(?:" ~ small ~ ") ){0,2}" ~ word ~ "|[0-9]{1,3})){0,5}" %}
{% set name = "(" ~ first ~ further ~ "(?: \\([^()\\n:0-9]{1,40}\\))?)" %}
{% set entities = [("'&lt;'", "'<'"), ("'&gt;'", "'>'"), ("'&nbsp;'", "' '"), ("'&amp;'", "'&'")] %}
{% set others = names_of_extra_columns() | reject("in", ["Start", "End"]) | list %}
with
    lined as (
        select
            *,
            -- without the stamps and tags of WebVTT, but for <v Name>, which names the speaker
            list_filter(
                list_transform(
                    string_split(
                        regexp_replace(
                            coalesce(text, ''),
                            '\r|</v>|</?(?:c|i|b|u|ruby|rt|lang)(?:\.[^>]*)?>|<lang [^>]*>|<[0-9:.]+>',
                            '',
                            'g'
                        ),
                        chr(10)
                    ),
                    lambda line:trim(line)
                ),
                lambda line:line <> ''
            ) as lines
        from {{ source_table("captions") }}
    ),

    compared as (select *, lag(lines[-1]) over (order by id) as line_before from lined),

    -- YouTube's captions roll: many begin with the last line of the caption before, and go on in a second
    -- line
    rolled as (
        select
            *,
            lines[1] is not distinct from line_before
            and avg(case when lines[1] = line_before then 1.0 else 0.0 end) over () >= 0.3
            and bool_or(lines[1] = line_before and len(lines) > 1) over () as repeats_line,
            bool_or(speaker <> '') over () as has_speakers
        from compared
    ),

    voiced as (
        select
            *,
            regexp_replace(
                array_to_string(case when repeats_line then lines[2:] else lines end, chr(10)),
                '(?m)(?:^(?:(?:>|&gt;){2,} *|- ?))?<v(?:\.[^ >]*)? +([^>]*)>',
                {{ mark }} || '\1' || {{ after_name }},
                'g'
            ) as voices
        from rolled
    ),

    marked as (
        select
            *,
            regexp_replace(
                regexp_replace(
                    {{ replace_each("voices", entities) }},
                    '(?m)^(?:>>+ *|- ?)?(?:\[{{ name }}\]:?(?: +|$)(\S)|{{ name }} ?(?:\([0-9:.]+\))?:(?: |$)(\S?))',
                    {{ mark }} || '\1\3' || {{ after_name }} || '\2\4',
                    'g'
                ),
                -- a change of speaker without a name
                '(?m)^>>+ *',
                {{ mark }} || '(no speaker)' || {{ after_name }},
                'g'
            ) as marked_text
        from voiced
    ),

    pieces as (
        select
            id,
            case when has_speakers then coalesce(text, '') else piece end as piece,
            piece_number,
            speaker,
            has_speakers,
            date,
            {%- for column in others %} {{ adapter.quote(column) }}, {%- endfor %}
            "Start",
            "End"
        from
            (
                select
                    *,
                    unnest(string_split(marked_text, {{ mark }})) as piece,
                    generate_subscripts(string_split(marked_text, {{ mark }}), 1) as piece_number,
                    len(string_split(marked_text, {{ mark }})) as piece_count
                from marked
            ) as cut
        where
            case
                when has_speakers
                then piece_number = 1
                when trim(piece, ' ' || chr(10)) = ''
                then piece_count = 1 and not repeats_line
                else true
            end
    ),

    named as (
        select
            *,
            case
                when has_speakers
                then nullif(trim(speaker), '')
                when piece_number > 1
                then nullif(trim(split_part(piece, {{ after_name }}, 1)), '')
            end as own_name,
            case
                when has_speakers or piece_number = 1 then piece else split_part(piece, {{ after_name }}, 2)
            end as words
        from pieces
    ),

    spoken as (
        select
            *,
            case
                when has_speakers
                then own_name
                else
                    last_value(own_name ignore nulls) over (
                        order by id, piece_number rows between unbounded preceding and current row
                    )
            end as speaker_name
        from named
    ),

    numbered as (
        select
            *,
            sum(case when begins then 1 else 0 end) over (
                order by id, piece_number rows between unbounded preceding and current row
            ) as utterance
        from
            (
                select
                    *,
                    coalesce(own_name, speaker_name, '(no speaker)') = '(no speaker)'
                    or speaker_name
                    is distinct from lag(speaker_name) over (order by id, piece_number) as begins
                from spoken
            ) as beginning
    ),

    joined as (
        select
            utterance,
            min(id) as caption,
            any_value(speaker_name) as speaker_name,
            case
                when has_speakers
                then string_agg(words, chr(10) order by id, piece_number)
                else replace(string_agg(words, ' ' order by id, piece_number), chr(10), ' ')
            end as words,
            arg_min_null("Start", id) as "Start",
            arg_max_null("End", id) as "End",
            {%- for column in others %}
                arg_min_null({{ adapter.quote(column) }}, id) as {{ adapter.quote(column) }},
            {%- endfor %}
            arg_min_null(date, id) as date
        from numbered
        group by utterance, has_speakers
    ),

    utterances as (
        -- a caption in which a second speaker begins: its utterance needs a number of its own
        select
            *,
            row_number() over (partition by caption order by utterance) as turn,
            caption + 1000000 * (turn - 1) as id
        from joined
    )

select
    id as id,
    cast(null as bigint) as experiment_id,
    caption as root_id,
    'text' as tag,
    turn as depth,
    coalesce(speaker_name, '(no speaker)') as probe,
    words as content,
    null as model_name,
    null as reason
    {{ extra_columns_of("utterances") }}
from utterances

union all

select
    - id - 1 as id,
    cast(null as bigint) as experiment_id,
    caption as root_id,
    'date' as tag,
    turn as depth,
    null as probe,
    date as content,
    null as model_name,
    null as reason
    {{ extra_columns_of() }}
from utterances
where date is not null

union all

select
    id as id,
    cast(null as bigint) as experiment_id,
    id as root_id,
    'joined caption' as tag,
    1 as depth,
    null as probe,
    text as content,
    null as model_name,
    null as reason
    {{ extra_columns_of() }}
from {{ source_table("captions") }} as captions
where id not in (select caption from utterances)
