-- Scores over days, for the model of the course: pain and motion of every episode with at least two of the kind.
-- 1. Pain: intermediate.pain_occasion, in thousandths of a point. Motion: intermediate.motion_occasion, in thousandths
--    of the reference.
-- 2. Up to the last day of the course (a parameter). Two scores are two days: one score says nothing about change.
-- 3. Episodes of a trial are left out: their visits follow a protocol, and arms are compared elsewhere.
-- A view: it is read once.
-- Source: domain reference 4.6.
-- materialised: view
-- grain: outcome, episode_no, day_offset
with last_day as (
    select value as last_day
    from reference.parameter
    where name = 'trajectory_last_day'
),

episode as (
    select
        episode_no,
        condition_id
    from intermediate.episode
    where arm is null
),

pain_occasion as (
    select
        episode_no,
        day_offset,
        pain
    from intermediate.pain_occasion
),

motion_occasion as (
    select
        episode_no,
        day_offset,
        permille
    from intermediate.motion_occasion
),

score as (
    select
        'pain' as outcome,
        episode_no,
        day_offset,
        cast(pain * 1000 as integer) as thousandths
    from pain_occasion
    union all
    select
        'motion' as outcome,
        episode_no,
        day_offset,
        permille as thousandths
    from motion_occasion
),

within_course as (
    select
        score.outcome,
        score.episode_no,
        score.day_offset,
        score.thousandths,
        count(*) over (partition by score.outcome, score.episode_no) as scored_days
    from score
    cross join last_day
    where score.day_offset <= last_day.last_day
)

select
    within_course.outcome,
    episode.condition_id,
    within_course.episode_no,
    within_course.day_offset,
    within_course.thousandths
from within_course
inner join episode on within_course.episode_no = episode.episode_no
where within_course.scored_days > 1
