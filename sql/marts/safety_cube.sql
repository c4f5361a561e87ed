-- Unwanted events at treatment sessions, by clinic (null: all), with and without needling, for each kind of event.
-- 1. Only sessions at which events were asked for have a rate: events there over sessions there. Events at the other
--    sessions are counted apart (unasked) and never in a rate.
-- 2. event_type 'any', 'any_minor' and 'any_major' stand for at least one event, of that severity. A kind that never
--    happened has a row with 0, so that a bound can be given for it.
-- 3. dated_sessions: sessions asked at whose real day is known (staging.first_visit).
-- 4. Patients are counted beside sessions and events: a count of sessions may rest on one patient.
-- Source: domain reference 3.
-- grain: clinic_key, session_kind, event_type
with session as (
    select
        visit_key,
        episode_no,
        is_needled,
        is_recorded
    from intermediate.session
),

episode as (
    select
        episode_no,
        episode_key,
        clinic_key,
        patient_key
    from intermediate.episode
),

first_visit as (
    select
        episode_key,
        start_year
    from staging.first_visit
),

adverse_event as (
    select
        visit_key,
        event_type,
        severity
    from staging.adverse_event
),

event_label as (
    select event_type
    from reference.event_type
    union all
    select 'any' as event_type
    union all
    select 'any_minor' as event_type
    union all
    select 'any_major' as event_type
),

placed as (
    select
        session.visit_key,
        episode.clinic_key,
        episode.patient_key,
        case when session.is_needled then 'needling' else 'other' end as session_kind,
        session.is_recorded,
        first_visit.start_year is not null as is_dated
    from session
    inner join episode on session.episode_no = episode.episode_no
    left join first_visit on episode.episode_key = first_visit.episode_key
),

whole as (
    select
        clinic_key,
        session_kind,
        count(*) as sessions,
        count(distinct patient_key) as patients,
        count(case when is_recorded then 1 end) as recorded_sessions,
        count(distinct case when is_recorded then patient_key end) as recorded_patients,
        count(case when is_recorded and is_dated then 1 end) as dated_sessions
    from placed
    group by session_kind, cube (clinic_key)
),

labelled as (
    select
        visit_key,
        event_type
    from adverse_event
    union all
    select
        visit_key,
        'any' as event_type
    from adverse_event
    union all
    select
        visit_key,
        'any_' || severity as event_type
    from adverse_event
),

happened as (
    select
        coalesce(placed.clinic_key, '') as clinic_or_all,
        placed.session_kind,
        labelled.event_type,
        count(case when placed.is_recorded then 1 end) as events,
        count(distinct case when placed.is_recorded then labelled.visit_key end) as event_sessions,
        count(distinct case when placed.is_recorded then placed.patient_key end) as event_patients,
        count(case when not placed.is_recorded then 1 end) as unasked_events,
        count(distinct case when not placed.is_recorded then placed.patient_key end) as unasked_patients
    from labelled
    inner join placed on labelled.visit_key = placed.visit_key
    group by placed.session_kind, labelled.event_type, cube (placed.clinic_key)
)

select
    whole.clinic_key,
    whole.session_kind,
    event_label.event_type,
    whole.sessions,
    whole.patients,
    whole.recorded_sessions,
    whole.recorded_patients,
    whole.dated_sessions,
    coalesce(happened.events, 0) as events,
    coalesce(happened.event_sessions, 0) as event_sessions,
    coalesce(happened.event_patients, 0) as event_patients,
    coalesce(happened.unasked_events, 0) as unasked_events,
    coalesce(happened.unasked_patients, 0) as unasked_patients
from whole
cross join event_label
left join happened
    on
        coalesce(whole.clinic_key, '') = happened.clinic_or_all
        and whole.session_kind = happened.session_kind
        and event_label.event_type = happened.event_type
