-- Score series of a motion that was also measured in another way, and that the other way is preferred to.
-- 1. The preferred way has a first and a later score; then active goes before passive, then the method first in the
--    alphabet.
-- Source: domain reference 1.4: active and passive motions, or two instruments, are not compared.
-- grain: episode_no, measure_id, side, active_passive, method
with course as (
    select
        episode_no,
        measure_id,
        side,
        active_passive,
        method,
        baseline_day,
        last_day
    from intermediate.measure_course
    where active_passive <> 'any'
),

ambiguous as (
    select
        episode_no,
        measure_id,
        side
    from course
    group by episode_no, measure_id, side
    having count(*) > 1
),

ranked as (
    select
        course.episode_no,
        course.measure_id,
        course.side,
        course.active_passive,
        course.method,
        row_number() over (
            partition by course.episode_no, course.measure_id, course.side
            order by
                case when course.last_day > course.baseline_day then 0 else 1 end,
                course.active_passive,
                course.method
        ) as way
    from course
    inner join ambiguous
        on
            course.episode_no = ambiguous.episode_no
            and course.measure_id = ambiguous.measure_id
            and course.side = ambiguous.side
)

select
    episode_no,
    measure_id,
    side,
    active_passive,
    method
from ranked
where way > 1
