-- Whether each change of a measure is a response, by each responder rule that applies to the measure.
-- 1. Points (the MCID among them): improvement of at least the threshold. Eligible: at least as much room to improve,
--    as far as the end of the scale.
-- 2. Percent: improvement of at least the threshold in percent of the baseline. Eligible: baseline above 0; else the
--    percentage does not exist and the response is null.
-- 3. Thresholds are reached when equal; arithmetic is exact (100 x change >= percent x baseline).
-- A view, like marts.measure_change.
-- Source: domain reference 4.1 and 4.2; responder rules in the contract.
-- materialised: view
-- grain: episode_key, measure_id, side, planned_day, rule_id
with measure_change as (
    select
        episode_key,
        patient_key,
        clinic_key,
        condition_id,
        care,
        is_closed,
        measure_id,
        side,
        planned_day,
        baseline_value,
        change
    from marts.measure_change
),

responder_rule as (
    select
        rule_id,
        measure_id,
        kind,
        threshold
    from reference.responder_rule
),

measure as (
    select
        measure_id,
        better,
        low,
        high
    from reference.measure
)

select
    measure_change.episode_key,
    measure_change.patient_key,
    measure_change.clinic_key,
    measure_change.condition_id,
    measure_change.care,
    measure_change.is_closed,
    measure_change.measure_id,
    measure_change.side,
    measure_change.planned_day,
    responder_rule.rule_id,
    case
        when responder_rule.kind = 'percent' then measure_change.baseline_value > 0
        when measure.better = 'lower' then measure_change.baseline_value - measure.low >= responder_rule.threshold
        else measure.high - measure_change.baseline_value >= responder_rule.threshold
    end as eligible,
    case
        when responder_rule.kind <> 'percent' then measure_change.change >= responder_rule.threshold
        when measure_change.baseline_value > 0
            then 100 * measure_change.change >= responder_rule.threshold * measure_change.baseline_value
    end as responder
from measure_change
inner join responder_rule on measure_change.measure_id = responder_rule.measure_id
inner join measure on measure_change.measure_id = measure.measure_id
