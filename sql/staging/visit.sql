-- One planned or actual contact within an episode.
-- Where the feed has a calendar instead of days, the day is counted from the first visit (staging.first_visit).
-- Current rows only: accepted, not superseded, not set aside by a rule between rows.
-- A view: the rows stay in the lake. Rows of a visit nothing of which was set aside are current as they are, so that
-- nearly all need only their visit looked up; those of the other visits are compared one by one. The case says
-- "accepted and of no such visit": DuckDB guesses that each of two plain conditions keeps a fifth of the rows, and
-- would then hash these rows instead of what they are joined to.
-- materialised: view
-- grain: visit_key
with sent as (
    select
        accepted,
        visit_key,
        episode_key,
        day_offset,
        planned_day,
        visit_type,
        attendance,
        adverse_events_asked,
        calendar_day,
        recorded_minute,
        delivery_id,
        file,
        row_number
    from lake.visit
),

accepted as (
    select
        visit_key,
        episode_key,
        day_offset,
        planned_day,
        visit_type,
        attendance,
        adverse_events_asked,
        calendar_day,
        recorded_minute,
        delivery_id,
        file,
        row_number
    from lake.visit
    where accepted
),

set_aside as (
    select
        delivery_id,
        file,
        row_number,
        visit_key
    from staging.visit_set_aside
),

touched_visit as (
    select visit_key
    from staging.visit_set_aside
    group by visit_key
),

untouched as (
    select
        sent.visit_key,
        sent.episode_key,
        sent.day_offset,
        sent.planned_day,
        sent.visit_type,
        sent.attendance,
        sent.adverse_events_asked,
        sent.calendar_day,
        sent.recorded_minute,
        sent.delivery_id,
        sent.file,
        sent.row_number
    from sent
    left join touched_visit on sent.visit_key = touched_visit.visit_key
    where case when touched_visit.visit_key is null then sent.accepted else false end
),

doubtful as (
    select
        accepted.visit_key,
        accepted.episode_key,
        accepted.day_offset,
        accepted.planned_day,
        accepted.visit_type,
        accepted.attendance,
        accepted.adverse_events_asked,
        accepted.calendar_day,
        accepted.recorded_minute,
        accepted.delivery_id,
        accepted.file,
        accepted.row_number
    from accepted
    inner join touched_visit on accepted.visit_key = touched_visit.visit_key
),

current_visit as (
    select
        visit_key,
        episode_key,
        day_offset,
        planned_day,
        visit_type,
        attendance,
        adverse_events_asked,
        calendar_day,
        recorded_minute,
        delivery_id,
        file,
        row_number
    from untouched
    union all
    select
        doubtful.visit_key,
        doubtful.episode_key,
        doubtful.day_offset,
        doubtful.planned_day,
        doubtful.visit_type,
        doubtful.attendance,
        doubtful.adverse_events_asked,
        doubtful.calendar_day,
        doubtful.recorded_minute,
        doubtful.delivery_id,
        doubtful.file,
        doubtful.row_number
    from doubtful
    left join set_aside
        on
            doubtful.delivery_id = set_aside.delivery_id
            and doubtful.file = set_aside.file
            and doubtful.row_number = set_aside.row_number
            and doubtful.visit_key = set_aside.visit_key
    where set_aside.row_number is null
),

first_visit as (
    select
        episode_key,
        first_calendar_day
    from staging.first_visit
)

select
    current_visit.visit_key,
    current_visit.episode_key,
    coalesce(current_visit.day_offset, current_visit.calendar_day - first_visit.first_calendar_day) as day_offset,
    current_visit.planned_day,
    current_visit.visit_type,
    current_visit.attendance,
    current_visit.adverse_events_asked,
    current_visit.recorded_minute,
    current_visit.delivery_id,
    current_visit.file,
    current_visit.row_number
from current_visit
left join first_visit on current_visit.episode_key = first_visit.episode_key
