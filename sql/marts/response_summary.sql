-- How many episodes responded, of those that could, by condition and care, for each planned time and responder rule.
-- 1. condition_id null, care 'any' and side null stand for all. planned_day null is the last comparable score, of
--    closed episodes only.
-- 2. Responders are counted among the eligible.
-- Source: domain reference 4.1; responder rules in the contract.
-- grain: condition_id, care, measure_id, side, planned_day, rule_id
with measure_response as (
    select
        condition_id,
        care,
        measure_id,
        side,
        planned_day,
        rule_id,
        eligible,
        responder
    from marts.measure_response
    where planned_day is not null or is_closed
),

finest as (
    select
        condition_id,
        care,
        measure_id,
        side,
        planned_day,
        rule_id,
        count(case when eligible then 1 end) as eligible,
        count(case when eligible and responder then 1 end) as responders
    from measure_response
    group by condition_id, care, measure_id, side, planned_day, rule_id
)

select
    condition_id,
    case when grouping(care) = 1 then 'any' else care end as care,
    measure_id,
    side,
    planned_day,
    rule_id,
    cast(sum(eligible) as bigint) as eligible,
    cast(sum(responders) as bigint) as responders
from finest
group by grouping sets (
    (measure_id, planned_day, rule_id),
    (measure_id, planned_day, rule_id, side),
    (measure_id, planned_day, rule_id, care),
    (measure_id, planned_day, rule_id, care, side),
    (measure_id, planned_day, rule_id, condition_id),
    (measure_id, planned_day, rule_id, condition_id, side),
    (measure_id, planned_day, rule_id, condition_id, care),
    (measure_id, planned_day, rule_id, condition_id, care, side)
)
