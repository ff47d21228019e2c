-- One row per round and code: do the coders agree? Each measure has an interval by jackknife over texts.
{% set sums = ["units", "alike", "yes_values", "no_values", "unlike", "texts", "share"] %}
with
    by_text as (
        select
            round, code, text_id, cast(count(*) as double) as coders, cast(sum(is_coded) as double) as coded
        from {{ ref("code_values") }}
        group by round, code, text_id {{ computed_once() }}
    ),

    -- what a text adds to the sums; a text that only one coder has seen adds to the share of the code alone
    parts as (
        select
            round,
            code,
            text_id,
            case when coders > 1 then 1 else 0 end as units,
            case
                when coders > 1
                then (coded * (coded - 1) + (coders - coded) * (coders - coded - 1)) / (coders * (coders - 1))
                else 0
            end as alike,
            case when coders > 1 then coded else 0 end as yes_values,
            case when coders > 1 then coders - coded else 0 end as no_values,
            case when coders > 1 then coded * (coders - coded) / (coders - 1) else 0 end as unlike,
            1 as texts,
            coded / coders as share
        from by_text {{ computed_once() }}
    ),

    with_all_codes as (
        select round, code, text_id {%- for name in sums %}, {{ name }}{% endfor %}
        from parts

        union all

        select
            round,
            '(all codes)' as code,
            text_id
            {%- for name in sums %}, sum({{ name }}) as {{ name }}{% endfor %}
        from parts
        group by round, text_id {{ computed_once() }}
    ),

    -- the sums of all texts, and the sums without each of them
    samples as (
        select
            round,
            code,
            1 as is_whole,
            0 as has_unit
            {%- for name in sums %}, sum({{ name }}) as {{ name }}{% endfor %}
        from with_all_codes
        group by round, code

        union all

        select
            round,
            code,
            0 as is_whole,
            case when units > 0 then 1 else 0 end as has_unit
            {%- for name in sums %}
                , sum({{ name }}) over (partition by round, code) - {{ name }} as {{ name }}
            {%- endfor %}
        from with_all_codes {{ computed_once() }}
    ),

    by_chance as (
        select
            samples.*,
            alike / nullif(units, 0) as percent,
            2 * (share / nullif(texts, 0)) * (1 - share / nullif(texts, 0)) as chance
        from samples {{ computed_once() }}
    ),

    measured as (
        select
            round,
            code,
            units,
            texts,
            is_whole,
            has_unit,
            percent,
            1 - (yes_values + no_values - 1) * unlike / nullif(yes_values * no_values, 0) as alpha,
            (percent - chance) / (1 - chance) as ac1
        from by_chance {{ computed_once() }}
    ),

    centred as (
        select
            measured.*,
            percent - avg(percent) over (partition by round, code, has_unit, is_whole) as percent_off,
            alpha - avg(alpha) over (partition by round, code, has_unit, is_whole) as alpha_off,
            ac1 - avg(ac1) over (partition by round, code, is_whole) as ac1_off
        from measured {{ computed_once() }}
    ),

    -- 1.96 standard errors; null if the measure is undefined without one of the texts
    errors as (
        select
            round,
            code,
            case
                when
                    sum(has_unit) > 1
                    and sum(has_unit) = sum(case when percent_off is null then 0 else has_unit end)
                then
                    1.96
                    * sqrt((sum(has_unit) - 1) * sum(has_unit * percent_off * percent_off) / sum(has_unit))
            end as percent_error,
            case
                when
                    sum(has_unit) > 1
                    and sum(has_unit) = sum(case when alpha_off is null then 0 else has_unit end)
                then 1.96 * sqrt((sum(has_unit) - 1) * sum(has_unit * alpha_off * alpha_off) / sum(has_unit))
            end as alpha_error,
            case
                when count(*) > 1 and count(*) = count(ac1_off)
                then 1.96 * sqrt((count(*) - 1) * sum(ac1_off * ac1_off) / count(*))
            end as ac1_error
        from centred
        where is_whole = 0
        group by round, code {{ computed_once() }}
    ),

    used as (
        select
            round,
            code,
            coder,
            max(is_coded) as is_used,
            max(coders) as most_coders,
            min(first_round) as first_round
        from {{ ref("code_values") }}
        group by round, code, coder {{ computed_once() }}
    ),

    used_with_all_codes as (
        select *
        from used

        union all

        select round, '(all codes)' as code, coder, null, max(most_coders), null
        from used
        group by round, coder
    ),

    -- without a text that two coders have seen, all coders
    coders as (
        select
            round,
            code,
            case
                when max(most_coders) > 1 then sum(case when most_coders > 1 then 1 else 0 end) else count(*)
            end as coders,
            sum(case when is_used = 0 and most_coders > 1 then 1 else 0 end) as coders_without_code,
            min(first_round) as first_round
        from used_with_all_codes
        group by round, code {{ computed_once() }}
    ),

    pairs as (
        select round, code, max(kappa) as kappa
        from {{ ref("agreement_pairs") }}
        group by round, code {{ computed_once() }}
    )

select
    concat(
        measured.code, case when measured.round = 0 then '' else concat(', round ', measured.round) end
    ) as agreement_id,
    cast(measured.round as {{ integer_type() }}) as round,
    measured.code,
    cast(coders.coders as {{ integer_type() }}) as coders,
    cast(coders.coders_without_code as {{ integer_type() }}) as coders_without_code,
    cast(first_rounds.first_round as {{ integer_type() }}) as first_round,
    cast(measured.units as {{ integer_type() }}) as units,
    cast(measured.units as double) / measured.texts as share_of_texts,
    case when coders.coders = 2 then pairs.kappa end as kappa,
    {%- for measure in ["percent", "alpha", "ac1"] %}
        measured.{{ measure }},
        case
            when measured.{{ measure }} - errors.{{ measure }}_error < -1
            then -1.0
            else measured.{{ measure }} - errors.{{ measure }}_error
        end as {{ measure }}_low,
        case
            when measured.{{ measure }} + errors.{{ measure }}_error > 1
            then 1.0
            else measured.{{ measure }} + errors.{{ measure }}_error
        end as {{ measure }}_high,
    {%- endfor %}
    case
        when coders.coders = 1
        then 'There is only one coder.'
        when measured.units = 0
        then 'No text was seen by two coders.'
        when measured.alpha is null
        then 'All coders gave the same value to all texts, so alpha is undefined.'
        when errors.alpha_error is null
        then 'Without one of the texts, alpha is undefined, so it has no interval.'
    end as reason
from measured
inner join coders on measured.round = coders.round and measured.code = coders.code
left join coders as first_rounds on first_rounds.round = 0 and measured.code = first_rounds.code
left join errors on measured.round = errors.round and measured.code = errors.code
left join pairs on measured.round = pairs.round and measured.code = pairs.code
where measured.is_whole = 1
