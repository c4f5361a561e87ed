-- Which kinds of treatment each episode had received by the landmark day, for comparisons of care.
-- 1. Given at an attended visit up to the landmark day. What came later does not count: it would give those who
--    received it the time they had to stay (immortal time), as for care in intermediate.episode.
-- 2. Dry needling is given by care (intermediate.episode), so that there is one statement of it.
-- 3. Episodes without any of these kinds by then have no row.
-- Source: domain reference 3, 4.3 and 4.7.
-- grain: episode_key
with visit as (
    select
        visit_key,
        episode_key,
        day_offset
    from staging.visit
    where attendance = 'attended'
),

treatment as (
    select
        visit_key,
        treatment_class
    from staging.treatment
    where treatment_class in ('manual_therapy', 'massage', 'stretching_mobility', 'strengthening')
),

landmark as (
    select value as landmark_day
    from reference.parameter
    where name = 'landmark_day'
),

given as (
    select
        visit.episode_key,
        treatment.treatment_class
    from treatment
    inner join visit on treatment.visit_key = visit.visit_key
    inner join landmark on visit.day_offset <= landmark.landmark_day
)

select
    episode_key,
    max(case when treatment_class = 'manual_therapy' then 1 else 0 end) = 1 as manual_therapy,
    max(case when treatment_class = 'massage' then 1 else 0 end) = 1 as massage,
    max(case when treatment_class = 'stretching_mobility' then 1 else 0 end) = 1 as stretching_mobility,
    max(case when treatment_class = 'strengthening' then 1 else 0 end) = 1 as strengthening
from given
group by episode_key
