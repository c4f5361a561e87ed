-- One planned or actual contact within an episode.
-- Current rows only: accepted, not superseded, not set aside by a rule between rows.
-- A view: the rows stay in the lake.
-- materialised: view
-- grain: visit_key
with accepted as (
    select
        visit_key,
        episode_key,
        day_offset,
        planned_day,
        visit_type,
        attendance,
        adverse_events_asked,
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
)

select
    accepted.visit_key,
    accepted.episode_key,
    accepted.day_offset,
    accepted.planned_day,
    accepted.visit_type,
    accepted.attendance,
    accepted.adverse_events_asked,
    accepted.delivery_id,
    accepted.file,
    accepted.row_number
from accepted
left join set_aside
    on
        accepted.delivery_id = set_aside.delivery_id
        and accepted.file = set_aside.file
        and accepted.row_number = set_aside.row_number
        and accepted.visit_key = set_aside.visit_key
where set_aside.row_number is null
