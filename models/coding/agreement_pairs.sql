-- One row per round, code and pair of coders who have seen the same texts: Cohen's kappa.
with
    pairs as (
        select
            one.round,
            one.code,
            one.coder as coder_a,
            other.coder as coder_b,
            cast(count(*) as double) as texts,
            sum(case when one.is_coded = other.is_coded then 1 else 0 end) as alike,
            sum(one.is_coded) as coded_a,
            sum(other.is_coded) as coded_b
        from {{ ref("code_values") }} as one
        inner join
            {{ ref("code_values") }} as other
            on one.round = other.round
            and one.code = other.code
            and one.text_id = other.text_id
            and one.coder < other.coder
        group by one.round, one.code, one.coder, other.coder {{ computed_once() }}
    ),

    with_all_codes as (
        select *
        from pairs

        union all

        select
            round, '(all codes)' as code, coder_a, coder_b, sum(texts), sum(alike), sum(coded_a), sum(coded_b)
        from pairs
        group by round, coder_a, coder_b
    ),

    shares as (
        select
            with_all_codes.*,
            alike / texts as observed,
            (coded_a * coded_b + (texts - coded_a) * (texts - coded_b)) / (texts * texts) as expected
        from with_all_codes {{ computed_once() }}
    )

select
    concat(
        code, case when round = 0 then '' else concat(', round ', round) end, ': ', coder_a, ' and ', coder_b
    ) as pair_id,
    cast(round as {{ integer_type() }}) as round,
    code,
    coder_a,
    coder_b,
    cast(texts as {{ integer_type() }}) as texts,
    observed as percent,
    case when expected < 1 then (observed - expected) / (1 - expected) end as kappa,
    case when expected >= 1 then 'both coders gave the same value to all texts' end as reason
from shares
