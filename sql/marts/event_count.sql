-- Episodes by day and kind of event, from which the curves of time to recovery are made.
-- 1. condition_id and clinic_key null and care 'any' stand for all.
-- 2. Kinds as in marts.episode_outcome, by the default recovery definition. Unknown events have no day; they are kept
--    to be counted beside the curve.
-- 3. Days count from the first visit. Whatever the care, everybody is followed from day 0.
-- 4. By care in routine data only those are followed who were still in care and not recovered after the landmark day,
--    from that day on (from_day): care is fixed by what was given until then, and who left or recovered sooner had less
--    time to receive it. Arms of a trial are assigned, so all are followed from day 0.
-- Source: domain reference 4.3 (landmark analysis against immortal time).
-- grain: condition_id, clinic_key, care, from_day, event_day, event_kind
with episode as (
    select
        condition_id,
        clinic_key,
        care,
        is_trial,
        is_in_care_at_landmark,
        event_day,
        event_kind
    from marts.case_mix
    where event_kind is not null
),

definition as (
    select definition_id
    from reference.definition
    where is_default
),

landmark as (
    select value as landmark_day
    from reference.parameter
    where name = 'landmark_day'
),

finest as (
    select
        episode.condition_id,
        episode.clinic_key,
        episode.care,
        case when episode.is_trial then 0 else landmark.landmark_day end as from_day,
        episode.is_trial or episode.is_in_care_at_landmark as is_followed_by_care,
        episode.event_day,
        episode.event_kind,
        count(*) as episodes
    from episode
    cross join landmark
    group by
        episode.condition_id,
        episode.clinic_key,
        episode.care,
        case when episode.is_trial then 0 else landmark.landmark_day end,
        episode.is_trial or episode.is_in_care_at_landmark,
        episode.event_day,
        episode.event_kind
),

any_care as (
    select
        condition_id,
        clinic_key,
        event_day,
        event_kind,
        cast(sum(episodes) as bigint) as episodes
    from finest
    group by grouping sets (
        (event_day, event_kind),
        (event_day, event_kind, condition_id),
        (event_day, event_kind, clinic_key),
        (event_day, event_kind, condition_id, clinic_key)
    )
),

by_care as (
    select
        condition_id,
        care,
        from_day,
        event_day,
        event_kind,
        cast(sum(episodes) as bigint) as episodes
    from finest
    where is_followed_by_care
    group by grouping sets (
        (event_day, event_kind, care, from_day),
        (event_day, event_kind, care, from_day, condition_id)
    )
),

total as (
    select
        condition_id,
        clinic_key,
        'any' as care,
        0 as from_day,
        event_day,
        event_kind,
        episodes
    from any_care
    union all
    select
        condition_id,
        null as clinic_key,
        care,
        from_day,
        event_day,
        event_kind,
        episodes
    from by_care
)

select
    total.condition_id,
    total.clinic_key,
    total.care,
    total.from_day,
    total.event_day,
    total.event_kind,
    definition.definition_id,
    total.episodes
from total
cross join definition
