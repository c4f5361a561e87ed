-- The pain measure each episode is judged by, with its scores at both ends.
-- 1. The condition's primary measure if it was scored at baseline and comparably at the end; else average, current,
--    worst in that order; the same measure at both ends. Different kinds of pain are never subtracted.
-- 2. Comparable at the end: the last score up to discharge, on a day after the baseline, within 14 days before
--    discharge; without a discharge day (open, or not in the feed) any day after the baseline.
-- 3. Without such a pair: the first measure in the same order that has a baseline, without a last value.
-- 4. Points: the recovery definitions speak of a 0 to 10 scale where less is better, other scales cannot meet them.
-- 5. Episodes with pain at both ends, but no measure that is at both, are marked: the clinic changed its scale.
-- Source: domain reference 1.1 and 4.1.
-- grain: episode_no
with episode as (
    select
        episode_no,
        condition_id,
        discharge_day
    from intermediate.episode
),

course as (
    select
        episode_no,
        measure_id,
        baseline_day,
        last_day,
        baseline_value,
        last_value
    from intermediate.measure_course
),

measure as (
    select
        measure_id,
        low = 0 and high = 10 and better = 'lower' as is_points
    from reference.measure
    where construct = 'pain'
),

pain_preference as (
    select
        condition_id,
        measure_id,
        preference
    from reference.pain_preference
),

discharge_window as (
    select value as discharge_window_days
    from reference.parameter
    where name = 'discharge_window_days'
),

pain as (
    select
        course.episode_no,
        course.measure_id,
        measure.is_points,
        pain_preference.preference,
        course.baseline_day,
        course.baseline_value,
        course.last_day,
        course.last_value,
        course.last_day >= coalesce(episode.discharge_day - discharge_window.discharge_window_days, 0) as is_near_end
    from course
    inner join measure on course.measure_id = measure.measure_id
    inner join episode on course.episode_no = episode.episode_no
    left join pain_preference
        on episode.condition_id = pain_preference.condition_id and course.measure_id = pain_preference.measure_id
    cross join discharge_window
),

judged as (
    select
        *,
        coalesce(baseline_day is not null and last_day > baseline_day and is_near_end, false) as is_pair
    from pain
),

ranked as (
    select
        *,
        row_number() over (
            partition by episode_no
            order by
                case when preference is null or baseline_day is null then 1 else 0 end,
                case when is_pair then 0 else 1 end,
                preference,
                measure_id
        ) as choice,
        min(baseline_day) over (partition by episode_no) as first_baseline_day,
        max(case when is_near_end then last_day end) over (partition by episode_no) as final_day,
        max(case when is_pair then 1 else 0 end) over (partition by episode_no) as has_any_pair
    from judged
)

select
    episode_no,
    case when preference is not null and baseline_day is not null then measure_id end as measure_id,
    case when preference is not null and baseline_day is not null then is_points end as is_points,
    case when preference is not null then baseline_day end as baseline_day,
    case when preference is not null then baseline_value end as baseline_value,
    case when preference is not null and is_pair then last_day end as last_day,
    case when preference is not null and is_pair then last_value end as last_value,
    coalesce(final_day > first_baseline_day, false) as is_scored_at_both_ends,
    has_any_pair = 1 as is_same_at_both_ends
from ranked
where choice = 1
