-- Each attended visit at which some treatment was given: whether it was needling, and what was asked and seen.
-- 1. Needling is dry needling; sham and acupuncture, which occur in trials, are not.
-- 2. Twitch (local twitch response): yes, no or not_recorded, for needling only. An empty field is not_recorded.
-- 3. Events recorded: unwanted events were asked for. No, unknown and empty are not recorded, whatever events the
--    visit has: without the question, no row does not mean no event.
-- Source: domain reference 3.
-- grain: visit_key
with visit as (
    select
        visit_key,
        episode_key,
        day_offset,
        adverse_events_asked
    from staging.visit
    where attendance = 'attended'
),

treatment as (
    select
        visit_key,
        treatment_class,
        ltr_elicited
    from staging.treatment
),

episode as (
    select
        episode_no,
        episode_key
    from intermediate.episode
),

given as (
    select
        visit_key,
        max(case when treatment_class = 'dry_needling' then coalesce(ltr_elicited, 'not_recorded') end) as twitch
    from treatment
    group by visit_key
)

select
    visit.visit_key,
    episode.episode_no,
    visit.day_offset,
    given.twitch is not null as is_needled,
    given.twitch,
    coalesce(visit.adverse_events_asked = 'yes', false) as is_recorded
from given
inner join visit on given.visit_key = visit.visit_key
inner join episode on visit.episode_key = episode.episode_key
