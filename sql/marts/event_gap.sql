-- Serious events in the order of the calendar, each with the needling sessions since the one before.
-- 1. Needling sessions at which events were asked for and whose real day is known. Where dates may not be sent (Safe
--    Harbor) there is no order across patients, hence no row.
-- 2. An event is a session with at least one event of severity major. The sessions between are those without one.
-- 3. Sessions of one day have no order: those without an event come first, then those with one, with 0 between them.
-- 4. The first event has no gap: when counting began says nothing of the event before.
-- 5. The order is a number; day, clinic and patient stay behind.
-- Source: Benneyan 2001 (number between events).
-- grain: event_no
with session as (
    select
        visit_key,
        episode_no,
        day_offset
    from intermediate.session
    where is_needled and is_recorded
),

episode as (
    select
        episode_no,
        episode_key
    from intermediate.episode
),

first_visit as (
    select
        episode_key,
        first_calendar_day
    from staging.first_visit
    where start_year is not null
),

serious as (
    select visit_key
    from staging.adverse_event
    where severity = 'major'
    group by visit_key
),

dated as (
    select
        session.visit_key,
        first_visit.first_calendar_day + session.day_offset as calendar_day,
        serious.visit_key is not null as is_serious
    from session
    inner join episode on session.episode_no = episode.episode_no
    inner join first_visit on episode.episode_key = first_visit.episode_key
    left join serious on session.visit_key = serious.visit_key
),

counted as (
    select
        is_serious,
        row_number() over (order by calendar_day, is_serious, visit_key) as session_no
    from dated
)

select
    row_number() over (order by session_no) as event_no,
    session_no - lag(session_no) over (order by session_no) - 1 as sessions_between
from counted
where is_serious
