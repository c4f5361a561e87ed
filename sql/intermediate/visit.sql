-- Each attended visit with what its scores may be used for.
-- 1. Baseline: day 0 to 7, before or on the first treatment.
-- 2. Outcome: up to discharge, on any day while the episode is open or has no discharge day.
-- 3. Planned time: the day a protocol planned the visit for; in routine care the planned window the visit falls in.
--    Day 0 is the baseline, not a planned time.
-- 4. Distance says how far the visit lies from the planned day: 2 x days, 1 more if later, so that of two visits
--    equally far the earlier is nearer.
--    The windows are one row here: looking each visit up in a table of ranges costs as much as all the rest.
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
        min(case when window_no = 1 then planned_day - tolerance_days end) as window_1_from,
        min(case when window_no = 1 then planned_day + tolerance_days end) as window_1_to,
        min(case when window_no = 2 then planned_day - tolerance_days end) as window_2_from,
        min(case when window_no = 2 then planned_day + tolerance_days end) as window_2_to,
        min(case when window_no = 3 then planned_day - tolerance_days end) as window_3_from,
        min(case when window_no = 3 then planned_day + tolerance_days end) as window_3_to,
        min(case when window_no = 1 then planned_day end) as window_1_day,
        min(case when window_no = 2 then planned_day end) as window_2_day,
        min(case when window_no = 3 then planned_day end) as window_3_day
    from reference.planned_window
),

baseline_window as (
    select value as baseline_window_days
    from reference.parameter
    where name = 'baseline_window_days'
),

placed as (
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
        case
            when visit.planned_day is not null then null
            when visit.day_offset between planned_window.window_1_from and planned_window.window_1_to then 1
            when visit.day_offset between planned_window.window_2_from and planned_window.window_2_to then 2
            when visit.day_offset between planned_window.window_3_from and planned_window.window_3_to then 3
        end as window_no,
        planned_window.window_1_day,
        planned_window.window_2_day,
        planned_window.window_3_day
    from visit
    inner join episode on visit.episode_key = episode.episode_key
    cross join baseline_window
    cross join planned_window
),

aimed as (
    select
        *,
        case
            when planned_day is not null then planned_day
            when window_no = 1 then window_1_day
            when window_no = 2 then window_2_day
            when window_no = 3 then window_3_day
        end as aim_day
    from placed
)

select
    visit_key,
    episode_no,
    day_offset,
    planned_day,
    is_baseline,
    is_outcome,
    is_discharge,
    window_no,
    2 * abs(day_offset - aim_day) + case when day_offset > aim_day then 1 else 0 end as planned_distance
from aimed
