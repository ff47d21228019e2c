{{ config(post_hook="{{ add_index('text_id') }}") }}
-- One row per round, code, text and coder who saw the text: 1 if the coder gave the text the code, else 0.
-- The round 0 is all rounds; the others are there if there are several.
with
    seen as (
        select text_id, coder, max(round) as round
        from {{ ref("seen_texts") }}
        where status = 'matched'
        group by text_id, coder {{ computed_once() }}
    ),

    rounds as (select text_id, max(round) as round from seen group by text_id {{ computed_once() }}),

    scopes as (
        select text_id, 0 as round
        from rounds

        union all

        select text_id, round
        from rounds
        where (select max(round) from rounds) > 1
    ),

    codes as (select distinct code from {{ ref("coded_texts") }} {{ computed_once() }})

select
    scopes.round,
    codes.code,
    seen.text_id,
    seen.coder,
    count(*) over (partition by scopes.round, codes.code, seen.text_id) as coders,
    case when coded.text_id is not null then rounds.round end as first_round,
    case when coded.text_id is null then 0 else 1 end as is_coded
from seen
inner join scopes on seen.text_id = scopes.text_id
inner join rounds on seen.text_id = rounds.text_id
cross join codes
left join
    {{ ref("coded_texts") }} as coded
    on seen.text_id = coded.text_id
    and seen.coder = coded.coder
    and codes.code = coded.code
