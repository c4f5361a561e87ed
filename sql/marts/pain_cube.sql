-- Pain at both ends in exact sums, by condition, clinic, care and start year, with all totals.
-- 1. Closed episodes with a comparable pair on a 0 to 10 scale. Totals as in marts.recovery_cube.
-- 2. Responders are counted among the eligible; deteriorated among all pairs.
-- Source: domain reference 4.1 and 4.2.
-- grain: condition_id, clinic_key, care, period
with episode_outcome as (
    select
        condition_id,
        clinic_key,
        care,
        coalesce(cast(start_year as varchar), 'unknown') as period,
        baseline_value,
        last_value,
        change,
        responder_mcid,
        responder_30,
        responder_50,
        deteriorated
    from marts.episode_outcome
    where is_closed and deteriorated is not null
),

finest as (
    select
        condition_id,
        clinic_key,
        care,
        period,
        count(*) as pairs,
        sum(baseline_value) as baseline_sum,
        sum(baseline_value * baseline_value) as baseline_sum_squares,
        sum(last_value) as last_sum,
        sum(change) as change_sum,
        sum(change * change) as change_sum_squares,
        count(responder_mcid) as mcid_eligible,
        count(case when responder_mcid then 1 end) as mcid_responders,
        count(responder_30) as percent_eligible,
        count(case when responder_30 then 1 end) as responders_30,
        count(case when responder_50 then 1 end) as responders_50,
        count(case when deteriorated then 1 end) as deteriorated
    from episode_outcome
    group by condition_id, clinic_key, care, period
)

select
    condition_id,
    clinic_key,
    case when grouping(care) = 1 then 'any' else care end as care,
    case when grouping(period) = 1 then 'all' else period end as period,
    cast(sum(pairs) as bigint) as pairs,
    cast(sum(baseline_sum) as decimal(38, 6)) as baseline_sum,
    cast(sum(baseline_sum_squares) as decimal(38, 12)) as baseline_sum_squares,
    cast(sum(last_sum) as decimal(38, 6)) as last_sum,
    cast(sum(change_sum) as decimal(38, 6)) as change_sum,
    cast(sum(change_sum_squares) as decimal(38, 12)) as change_sum_squares,
    cast(sum(mcid_eligible) as bigint) as mcid_eligible,
    cast(sum(mcid_responders) as bigint) as mcid_responders,
    cast(sum(percent_eligible) as bigint) as percent_eligible,
    cast(sum(responders_30) as bigint) as responders_30,
    cast(sum(responders_50) as bigint) as responders_50,
    cast(sum(deteriorated) as bigint) as deteriorated
from finest
group by cube (condition_id, clinic_key, care, period)
having count(*) > 0
