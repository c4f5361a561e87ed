-- Change of every measure in exact sums, by condition and care, for each planned time.
-- 1. condition_id null, care 'any' and side null stand for all. planned_day null is the last comparable score, of
--    closed episodes only: an open episode has no end yet.
-- 2. Means and standard deviations are divided once, in Python, from these sums.
-- Source: domain reference 4.1.
-- grain: condition_id, care, measure_id, side, planned_day
with measure_change as (
    select
        condition_id,
        care,
        measure_id,
        side,
        planned_day,
        baseline_value,
        value,
        change
    from marts.measure_change
    where planned_day is not null or is_closed
),

finest as (
    select
        condition_id,
        care,
        measure_id,
        side,
        planned_day,
        count(*) as n,
        sum(baseline_value) as baseline_sum,
        sum(baseline_value * baseline_value) as baseline_sum_squares,
        sum(value) as value_sum,
        sum(value * value) as value_sum_squares,
        sum(change) as change_sum,
        sum(change * change) as change_sum_squares,
        count(case when change < 0 then 1 end) as worsened
    from measure_change
    group by condition_id, care, measure_id, side, planned_day
)

select
    condition_id,
    case when grouping(care) = 1 then 'any' else care end as care,
    measure_id,
    side,
    planned_day,
    cast(sum(n) as bigint) as n,
    cast(sum(baseline_sum) as decimal(38, 6)) as baseline_sum,
    cast(sum(baseline_sum_squares) as decimal(38, 12)) as baseline_sum_squares,
    cast(sum(value_sum) as decimal(38, 6)) as value_sum,
    cast(sum(value_sum_squares) as decimal(38, 12)) as value_sum_squares,
    cast(sum(change_sum) as decimal(38, 6)) as change_sum,
    cast(sum(change_sum_squares) as decimal(38, 12)) as change_sum_squares,
    cast(sum(worsened) as bigint) as worsened
from finest
group by grouping sets (
    (measure_id, planned_day),
    (measure_id, planned_day, side),
    (measure_id, planned_day, care),
    (measure_id, planned_day, care, side),
    (measure_id, planned_day, condition_id),
    (measure_id, planned_day, condition_id, side),
    (measure_id, planned_day, condition_id, care),
    (measure_id, planned_day, condition_id, care, side)
)
