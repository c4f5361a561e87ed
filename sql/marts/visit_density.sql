-- How often patients were seen, beside the time to recovery: recovery is found at a visit, so it lies between the visit
-- before and the day of the event, and more visits find it sooner.
-- 1. Groups and episodes as in marts.event_count, those with a known kind of event and an attended visit.
-- 2. Days followed: from the first visit, day 0, to the last attended visit. One visit every
--    days_followed / (visits - episodes) days.
-- Source: domain reference 4.2 and 4.3.
-- grain: condition_id, clinic_key, care, from_day
with case_mix as (
    select
        episode_key,
        condition_id,
        clinic_key,
        care,
        is_trial,
        is_in_care_at_landmark,
        visit_count
    from marts.case_mix
    where event_kind in ('recovered', 'left', 'open') and visit_count > 0
),

episode as (
    select
        episode_key,
        last_visit_day
    from intermediate.episode
),

landmark as (
    select value as landmark_day
    from reference.parameter
    where name = 'landmark_day'
),

followed as (
    select
        case_mix.condition_id,
        case_mix.clinic_key,
        case_mix.care,
        case when case_mix.is_trial then 0 else landmark.landmark_day end as from_day,
        case_mix.is_trial or case_mix.is_in_care_at_landmark as is_followed_by_care,
        case_mix.visit_count,
        episode.last_visit_day
    from case_mix
    inner join episode on case_mix.episode_key = episode.episode_key
    cross join landmark
),

any_care as (
    select
        condition_id,
        clinic_key,
        count(*) as episodes,
        cast(sum(visit_count) as bigint) as visits,
        cast(sum(last_visit_day) as bigint) as days_followed
    from followed
    group by grouping sets ((), (condition_id), (clinic_key), (condition_id, clinic_key))
),

by_care as (
    select
        condition_id,
        care,
        from_day,
        count(*) as episodes,
        cast(sum(visit_count) as bigint) as visits,
        cast(sum(last_visit_day) as bigint) as days_followed
    from followed
    where is_followed_by_care
    group by grouping sets ((care, from_day), (care, from_day, condition_id))
)

select
    condition_id,
    clinic_key,
    'any' as care,
    0 as from_day,
    episodes,
    visits,
    days_followed
from any_care
where episodes > 0
union all
select
    condition_id,
    null as clinic_key,
    care,
    from_day,
    episodes,
    visits,
    days_followed
from by_care
