-- One unwanted event after a visit.
-- Current rows only: accepted, not superseded, not set aside by a rule between rows.
-- A view: the rows stay in the lake.
-- materialised: view
-- grain: visit_key, event_type
with accepted as (
    select
        visit_key,
        event_type,
        severity,
        duration_hours,
        resolved,
        related,
        delivery_id,
        file,
        row_number
    from lake.adverse_event
    where accepted
),

set_aside as (
    select
        delivery_id,
        file,
        row_number,
        visit_key,
        event_type
    from staging.adverse_event_set_aside
)

select
    accepted.visit_key,
    accepted.event_type,
    accepted.severity,
    accepted.duration_hours,
    accepted.resolved,
    accepted.related,
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
        and accepted.event_type = set_aside.event_type
where set_aside.row_number is null
