-- Score series of a motion that was also measured in another way, and that the other way is preferred to.
-- 1. The preferred way has a first and a later score; then active goes before passive, then the method first in the
--    alphabet.
-- 2. Nearly all series have one way. An episode's measure with as many series as sides is left out first, by integers:
--    grouping all series by their texts costs five times the time.
-- Source: domain reference 1.4: active and passive motions, or two instruments, are not compared.
-- grain: episode_no, measure_id, side, active_passive, method
with course as (
    select
        episode_no,
        measure_id,
        side
    from intermediate.measure_course
    where active_passive <> 'any'
),

measure as (
    select
        measure_id,
        measure_no
    from reference.measure
),

suspect as (
    select
        course.episode_no,
        measure.measure_no
    from course
    inner join measure on course.measure_id = measure.measure_id
    group by course.episode_no, measure.measure_no
    having
        count(*)
        > max(case when course.side = 'none' then 1 else 0 end)
        + max(case when course.side = 'left' then 1 else 0 end)
        + max(case when course.side = 'right' then 1 else 0 end)
        + max(case when course.side = 'bilateral' then 1 else 0 end)
),

suspect_measure as (
    select
        suspect.episode_no,
        measure.measure_id
    from suspect
    inner join measure on suspect.measure_no = measure.measure_no
),

suspect_course as (
    select
        course.episode_no,
        course.measure_id,
        course.side,
        course.active_passive,
        course.method,
        course.baseline_day,
        course.last_day
    from intermediate.measure_course as course
    inner join suspect_measure
        on course.episode_no = suspect_measure.episode_no and course.measure_id = suspect_measure.measure_id
    where course.active_passive <> 'any'
),

ranked as (
    select
        episode_no,
        measure_id,
        side,
        active_passive,
        method,
        row_number() over (
            partition by episode_no, measure_id, side
            order by
                case when last_day > baseline_day then 0 else 1 end,
                active_passive,
                method
        ) as way
    from suspect_course
)

select
    episode_no,
    measure_id,
    side,
    active_passive,
    method
from ranked
where way > 1
