-- Whether each change of a measure is a response, by each responder rule that applies to the measure.
-- 1. Points (the MCID among them): better by at least the threshold. Eligible: at least as much room to get better, as
--    far as the end of the scale. An MCID of condition and measure, where the contract has these on, goes before that
--    of the measure.
-- 2. Percent: better by at least the threshold in percent of the baseline. Eligible: baseline above 0; else the
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

region_mcid as (
    select
        condition_id,
        measure_id,
        threshold,
        'mcid' as kind
    from reference.region_mcid
),

measure as (
    select
        measure_id,
        better,
        low,
        high
    from reference.measure
),

judged as (
    select
        measure_change.*,
        responder_rule.rule_id,
        responder_rule.kind,
        coalesce(region_mcid.threshold, responder_rule.threshold) as threshold,
        measure.better,
        measure.low,
        measure.high
    from measure_change
    inner join responder_rule on measure_change.measure_id = responder_rule.measure_id
    inner join measure on measure_change.measure_id = measure.measure_id
    left join region_mcid
        on
            measure_change.condition_id = region_mcid.condition_id
            and measure_change.measure_id = region_mcid.measure_id
            and responder_rule.kind = region_mcid.kind
)

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
    rule_id,
    case
        when kind = 'percent' then baseline_value > 0
        when better = 'lower' then baseline_value - low >= threshold
        else high - baseline_value >= threshold
    end as eligible,
    case
        when kind <> 'percent' then change >= threshold
        when baseline_value > 0 then 100 * change >= threshold * baseline_value
    end as responder
from judged
