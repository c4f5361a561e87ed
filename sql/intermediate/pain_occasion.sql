-- The pain of an episode on each day it was scored, by the measure the episode is judged by.
-- 1. Attended visits up to discharge only. Only 0 to 10 scales where less is better.
-- 2. Two scores on one day: the worse one counts.
-- Source: domain reference 4.2.
-- grain: episode_no, day_offset
with measurement as (
    select
        visit_key,
        measure_id,
        value
    from staging.measurement
),

visit as (
    select
        visit_key,
        episode_no,
        day_offset,
        is_discharge
    from intermediate.visit
    where is_outcome
),

episode_pain as (
    select
        episode_no,
        measure_id
    from intermediate.episode_pain
    where is_points
),

pain_measure as (
    select distinct measure_id
    from episode_pain
),

pain as (
    select
        measurement.visit_key,
        measurement.measure_id,
        measurement.value
    from measurement
    inner join pain_measure on measurement.measure_id = pain_measure.measure_id
)

select
    visit.episode_no,
    visit.day_offset,
    max(pain.value) as pain,
    max(case when visit.is_discharge then 1 else 0 end) = 1 as is_discharge
from pain
inner join visit on pain.visit_key = visit.visit_key
inner join episode_pain
    on visit.episode_no = episode_pain.episode_no and pain.measure_id = episode_pain.measure_id
group by visit.episode_no, visit.day_offset
