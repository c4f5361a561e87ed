-- Gains beside what the source's own model predicted, in exact sums, by measure, planned time and clinic.
-- 1. Only for feeds that bring predictions (reference.measure.predicts); empty for all others. measure_id is what was
--    predicted.
-- 2. Modelled: a baseline, a later score at a planned time, and a prediction for that time.
-- 3. Gain and residual (score against prediction) are positive when the patient is better, whatever the direction of
--    the scale.
-- 4. earlier_operations: none, some or unknown, from surgery_count; they have no total, because the publisher judges
--    each on its own. clinic_key null stands for all clinics.
-- Source: NHS England PROMs, finalised 2017-18.
-- grain: measure_id, planned_day, earlier_operations, clinic_key
with prediction as (
    select
        measure_id as prediction_id,
        predicts as measure_id
    from reference.measure
    where predicts is not null
),

measure as (
    select
        measure_id,
        better
    from reference.measure
),

planned_score as (
    select
        episode_no,
        measure_id,
        side,
        active_passive,
        method,
        planned_day,
        baseline_value,
        score_value
    from intermediate.planned_score
),

episode as (
    select
        episode_no,
        episode_key,
        clinic_key
    from intermediate.episode
),

intake as (
    select
        episode_key,
        surgery_count
    from staging.episode
),

modelled as (
    select
        outcome.measure_id,
        outcome.planned_day,
        episode.clinic_key,
        outcome.baseline_value,
        outcome.score_value as value,
        predicted.score_value as predicted,
        case
            when intake.surgery_count is null then 'unknown'
            when intake.surgery_count = 0 then 'none'
            else 'some'
        end as earlier_operations,
        case
            when measure.better = 'lower' then outcome.baseline_value - outcome.score_value
            else outcome.score_value - outcome.baseline_value
        end as gain,
        case
            when measure.better = 'lower' then predicted.score_value - outcome.score_value
            else outcome.score_value - predicted.score_value
        end as residual
    from prediction
    inner join measure on prediction.measure_id = measure.measure_id
    inner join planned_score as outcome on prediction.measure_id = outcome.measure_id
    inner join planned_score as predicted
        on
            prediction.prediction_id = predicted.measure_id
            and outcome.episode_no = predicted.episode_no
            and outcome.planned_day = predicted.planned_day
            and outcome.side = predicted.side
            and outcome.active_passive = predicted.active_passive
            and outcome.method = predicted.method
    inner join episode on outcome.episode_no = episode.episode_no
    inner join intake on episode.episode_key = intake.episode_key
    where outcome.baseline_value is not null
)

select
    measure_id,
    planned_day,
    earlier_operations,
    clinic_key,
    count(*) as n,
    cast(sum(baseline_value) as decimal(38, 6)) as baseline_sum,
    cast(sum(value) as decimal(38, 6)) as value_sum,
    cast(sum(predicted) as decimal(38, 6)) as predicted_sum,
    cast(sum(gain) as decimal(38, 6)) as gain_sum,
    cast(sum(residual) as decimal(38, 6)) as residual_sum,
    cast(sum(residual * residual) as decimal(38, 12)) as residual_sum_squares
from modelled
group by grouping sets (
    (measure_id, planned_day, earlier_operations),
    (measure_id, planned_day, earlier_operations, clinic_key)
)
