-- Change of every measure from baseline to each planned time and to the last comparable score; both present.
-- 1. Baseline, last and nearest scores: intermediate.measure_course and intermediate.planned_score. Of several ways of
--    measuring a motion the preferred one.
-- 2. planned_day: the day a protocol planned, in routine care the day of the planned window (28, 56, 84), null for the
--    last comparable score: after the baseline, within 14 days before discharge where there is a discharge day.
-- 3. A planned score is on another day than the baseline: windows start after the baseline window.
-- 4. Change is positive when the patient is better, whatever the direction of the scale. What describes the patient
--    (construct context) and what the source only predicts are no outcomes and have no change.
-- A view: it has several rows for each score series, and every mart that needs sums has its own.
-- Source: domain reference 1.4 and 4.1.
-- materialised: view
-- grain: episode_key, measure_id, side, planned_day
with discharge_window as (
    select value as discharge_window_days
    from reference.parameter
    where name = 'discharge_window_days'
),

episode as (
    select
        episode.episode_no,
        episode.episode_key,
        episode.patient_key,
        episode.clinic_key,
        episode.condition_id,
        episode.care,
        episode.is_closed,
        episode.discharge_day - discharge_window.discharge_window_days as near_end_day
    from intermediate.episode
    cross join discharge_window
),

course as (
    select
        episode_no,
        measure_id,
        side,
        active_passive,
        method,
        baseline_day,
        last_day,
        baseline_value,
        last_value,
        window_1_value,
        window_2_value,
        window_3_value
    from intermediate.measure_course
    where baseline_value is not null
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
    where baseline_value is not null
),

second_way as (
    select
        episode_no,
        measure_id,
        side,
        active_passive,
        method
    from intermediate.second_way
),

measure as (
    select
        measure_id,
        better
    from reference.measure
    where construct <> 'context' and predicts is null
),

planned_window as (
    select
        window_no,
        planned_day
    from reference.planned_window
),

time_point as (
    select
        window_no,
        planned_day
    from planned_window
    union all
    select
        0 as window_no,
        null as planned_day
),

score as (
    select
        course.episode_no,
        course.measure_id,
        course.side,
        course.active_passive,
        course.method,
        time_point.planned_day,
        course.baseline_value,
        case time_point.window_no
            when 0 then case when course.last_day > course.baseline_day then course.last_value end
            when 1 then course.window_1_value
            when 2 then course.window_2_value
            when 3 then course.window_3_value
        end as score_value,
        case when time_point.window_no = 0 then course.last_day end as last_day
    from course
    cross join time_point
    union all
    select
        episode_no,
        measure_id,
        side,
        active_passive,
        method,
        planned_day,
        baseline_value,
        score_value,
        null as last_day
    from planned_score
)

select
    episode.episode_key,
    episode.patient_key,
    episode.clinic_key,
    episode.condition_id,
    episode.care,
    episode.is_closed,
    score.measure_id,
    score.side,
    score.planned_day,
    score.baseline_value,
    score.score_value as value,
    case measure.better
        when 'lower' then score.baseline_value - score.score_value
        else score.score_value - score.baseline_value
    end as change
from score
inner join episode on score.episode_no = episode.episode_no
inner join measure on score.measure_id = measure.measure_id
left join second_way
    on
        score.episode_no = second_way.episode_no
        and score.measure_id = second_way.measure_id
        and score.side = second_way.side
        and score.active_passive = second_way.active_passive
        and score.method = second_way.method
where
    score.score_value is not null
    and second_way.episode_no is null
    and (
        score.last_day is null
        or episode.near_end_day is null
        or score.last_day >= episode.near_end_day
    )
