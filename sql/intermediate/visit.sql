-- Each attended visit with what its scores may be used for.
-- 1. Baseline: day 0 to 7, before or on the first treatment.
-- 2. Outcome: up to discharge, on any day while the episode is open or has no discharge day.
-- 3. Planned time: the day a protocol planned the visit for; in routine care the planned window the visit falls in.
--    Day 0 is the baseline, not a planned time.
-- 4. Distance says how far the visit lies from the planned day: 2 x days, 1 more if later, so that of two visits
--    equally far the earlier is nearer.
-- 5. Discharge visit: called so, or on the day of discharge. An open episode has none.
-- Source: domain reference 4.1.
-- grain: visit_key
with visit as (
    select
        visit_key,
        episode_key,
        day_offset,
        planned_day,
        visit_type
    from staging.visit
    where attendance = 'attended'
),

episode as (
    select
        episode_no,
        episode_key,
        is_closed,
        discharge_day,
        first_treatment_day
    from intermediate.episode
),

planned_window as (
    select
        window_no,
        planned_day,
        tolerance_days
    from reference.planned_window
),

baseline_window as (
    select value as baseline_window_days
    from reference.parameter
    where name = 'baseline_window_days'
)

select
    visit.visit_key,
    episode.episode_no,
    visit.day_offset,
    visit.planned_day,
    visit.day_offset <= baseline_window.baseline_window_days
    and visit.day_offset <= coalesce(episode.first_treatment_day, visit.day_offset) as is_baseline,
    visit.day_offset <= coalesce(episode.discharge_day, visit.day_offset) as is_outcome,
    episode.is_closed
    and (visit.visit_type = 'discharge' or visit.day_offset = coalesce(episode.discharge_day, -1)) as is_discharge,
    planned_window.window_no,
    2 * abs(visit.day_offset - coalesce(visit.planned_day, planned_window.planned_day))
    + case
        when visit.day_offset > coalesce(visit.planned_day, planned_window.planned_day) then 1
        else 0
    end as planned_distance
from visit
inner join episode on visit.episode_key = episode.episode_key
cross join baseline_window
left join planned_window
    on
        visit.planned_day is null
        and visit.day_offset >= planned_window.planned_day - planned_window.tolerance_days
        and visit.day_offset <= planned_window.planned_day + planned_window.tolerance_days
