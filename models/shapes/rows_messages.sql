-- One row per conversation, and one per date. A conversation is a JSON list of {role, content} or
-- {from, value}. Its last answer is the text, and the last question before it is the probe.
-- Only DuckDB reads it, because only files have it.
with
    listed as (
        select messages.*, coalesce(cast(messages.messages as json[]), []) as turns
        from {{ source_table("messages") }} as messages
    ),

    spoken as (
        select
            *,
            list_transform(turns, lambda turn:lower(coalesce(turn ->> 'role', turn ->> 'from'))) as speakers,
            -- a content is a text, or a list of parts: texts, or objects with a text
            list_transform(
                turns,
                lambda turn:coalesce(
                    case when json_type(turn, '$.content') = 'VARCHAR' then turn ->> 'content' end,
                    list_aggregate(
                        list_filter(
                            list_transform(
                                cast(coalesce(turn -> 'content', turn -> 'parts') as json[]),
                                lambda part:coalesce(
                                    case when json_type(part) = 'VARCHAR' then part ->> '$' end,
                                    part ->> '$.text.value',
                                    part ->> 'text'
                                )
                            ),
                            lambda part:part is not null
                        ),
                        'string_agg',
                        ' '
                    ),
                    turn ->> 'value'
                )
            ) as texts
        from listed
    ),

    answered as (
        select
            *,
            list_max(
                list_filter(
                    range(1, len(turns) + 1),
                    lambda place:speakers[place] in ('assistant', 'gpt', 'model', 'bot')
                )
            ) as answer_place
        from spoken
    ),

    asked as (
        select
            *,
            list_max(
                list_filter(
                    range(1, coalesce(answer_place, len(turns) + 1)),
                    lambda place:speakers[place] in ('user', 'human')
                )
            ) as question_place
        from answered
    ),

    answers as (select *, texts[question_place] as probe, texts[answer_place] as text from asked)

    {{
        rows_of_answers(
            "answers",
            "case when answer_place is null then 'no assistant message' when text is null then 'the last answer has no text' end",
        )
    }}
