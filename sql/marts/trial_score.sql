-- Scores of trials: the baseline of every measure (planned day 0), and the scores at planned days.
-- 1. Planned days, nearness, ways of measuring and windows as in marts.measure_change. A score without a baseline is no
--    row there and cannot be compared after adjustment for it.
-- 2. Baselines of what describes the patient (construct context) are covariates, so they are here as well.
-- A view: trials are small and this is read once.
-- materialised: view
-- grain: episode_key, measure_id, side, planned_day
with episode as (
    select
        episode_no,
        episode_key
    from intermediate.episode
    where arm is not null
),

course as (
    select
        episode_no,
        measure_id,
        side,
        active_passive,
        method,
        baseline_value
    from intermediate.measure_course
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

measure_change as (
    select
        episode_key,
        measure_id,
        side,
        planned_day,
        value
    from marts.measure_change
    where planned_day is not null
),

baseline as (
    select
        episode.episode_key,
        course.measure_id,
        course.side,
        0 as planned_day,
        course.baseline_value as value
    from course
    inner join episode on course.episode_no = episode.episode_no
    left join second_way
        on
            course.episode_no = second_way.episode_no
            and course.measure_id = second_way.measure_id
            and course.side = second_way.side
            and course.active_passive = second_way.active_passive
            and course.method = second_way.method
    where second_way.episode_no is null
)

select
    episode_key,
    measure_id,
    side,
    planned_day,
    value
from baseline
union all
select
    measure_change.episode_key,
    measure_change.measure_id,
    measure_change.side,
    measure_change.planned_day,
    measure_change.value
from measure_change
inner join episode on measure_change.episode_key = episode.episode_key
