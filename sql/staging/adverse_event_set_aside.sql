-- Rows of adverse_event that were accepted on reading but are not current.
-- 1. Repeated keys (staging.adverse_event_repeat).
-- 2. visits that are missing, or set aside themselves: their rows are quarantined.
-- 3. Rows of a visit that was taken back are superseded with it.
-- Source: needlepoint contract, checks adverse_event.key.unique and adverse_event.visit_key.reference.
-- grain: delivery_id, file, row_number, visit_key, event_type
with accepted as (
    select
        delivery_id,
        file,
        row_number,
        visit_key,
        event_type
    from lake.adverse_event
    where accepted
),

repeat as (
    select
        delivery_id,
        file,
        row_number,
        visit_key,
        event_type,
        check_id,
        fate
    from staging.adverse_event_repeat
),

visit as (
    select visit_key
    from staging.visit
),

orphan as (
    select
        accepted.delivery_id,
        accepted.file,
        accepted.row_number,
        accepted.visit_key,
        accepted.event_type
    from accepted
    left join visit on accepted.visit_key = visit.visit_key
    where visit.visit_key is null
)

select
    delivery_id,
    file,
    row_number,
    visit_key,
    event_type,
    check_id,
    fate
from repeat
union all
select
    orphan.delivery_id,
    orphan.file,
    orphan.row_number,
    orphan.visit_key,
    orphan.event_type,
    case
        when withdrawn_visit.visit_key is null then 'adverse_event.visit_key.reference'
        else 'adverse_event.key.withdrawn'
    end as check_id,
    case when withdrawn_visit.visit_key is null then 'quarantined' else 'superseded' end as fate
from orphan
left join staging.withdrawn_visit on orphan.visit_key = withdrawn_visit.visit_key
left join repeat
    on
        orphan.delivery_id = repeat.delivery_id
        and orphan.file = repeat.file
        and orphan.row_number = repeat.row_number
        and orphan.visit_key = repeat.visit_key
        and orphan.event_type = repeat.event_type
where repeat.row_number is null
