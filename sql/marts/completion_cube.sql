-- How many closed episodes have the scores that their outcome rests on, by condition, clinic, care and period, with all
-- totals as in marts.recovery_cube.
-- 1. Baseline captured: a usable pain score at baseline (day 0 to 7, before or on the first treatment).
-- 2. Discharge captured: a later score of the same pain measure within 14 days before discharge, so that there is a
--    pair to compare. Discharge captured without a baseline is impossible.
-- 3. Motion captured: the primary motion has a last score and a reference to judge it by.
-- 4. Follow-up captured: a score of the episode's pain measure at an attended visit on a day after discharge. Without
--    a discharge day: at an attended visit of type follow_up. Episodes without a pain measure have none.
-- 5. Every rate has all closed episodes as its denominator: what was not recorded is missing, for whatever reason.
-- Source: domain reference 4.4.
-- grain: condition_id, clinic_key, care, period
with episode as (
    select
        episode_key,
        condition_id,
        clinic_key,
        care,
        period
    from marts.case_mix
    where is_closed
),

outcome as (
    select
        episode_key,
        measure_id,
        baseline_captured,
        discharge_captured,
        rom_last_permille is not null as motion_captured
    from marts.episode_outcome
),

ended as (
    select
        episode_key,
        discharge_day
    from intermediate.episode
    where is_closed
),

visit as (
    select
        visit_key,
        episode_key,
        day_offset,
        visit_type
    from staging.visit
    where attendance = 'attended'
),

measurement as (
    select
        visit_key,
        measure_id
    from staging.measurement
),

later_visit as (
    select
        visit.visit_key,
        outcome.episode_key,
        outcome.measure_id
    from visit
    inner join ended on visit.episode_key = ended.episode_key
    inner join outcome on ended.episode_key = outcome.episode_key
    where visit.day_offset > ended.discharge_day or (ended.discharge_day is null and visit.visit_type = 'follow_up')
),

followed as (
    select later_visit.episode_key
    from measurement
    inner join later_visit
        on measurement.visit_key = later_visit.visit_key and measurement.measure_id = later_visit.measure_id
    group by later_visit.episode_key
),

finest as (
    select
        episode.condition_id,
        episode.clinic_key,
        episode.care,
        episode.period,
        count(*) as closed,
        count(case when outcome.baseline_captured then 1 end) as baseline,
        count(case when outcome.discharge_captured then 1 end) as discharge,
        count(case when outcome.motion_captured then 1 end) as motion,
        count(followed.episode_key) as follow_up
    from episode
    inner join outcome on episode.episode_key = outcome.episode_key
    left join followed on episode.episode_key = followed.episode_key
    group by episode.condition_id, episode.clinic_key, episode.care, episode.period
)

select
    condition_id,
    clinic_key,
    case when grouping(care) = 1 then 'any' else care end as care,
    case when grouping(period) = 1 then 'all' else period end as period,
    cast(sum(closed) as bigint) as closed,
    cast(sum(baseline) as bigint) as baseline,
    cast(sum(discharge) as bigint) as discharge,
    cast(sum(motion) as bigint) as motion,
    cast(sum(follow_up) as bigint) as follow_up
from finest
group by cube (condition_id, clinic_key, care, period)
having count(*) > 0
