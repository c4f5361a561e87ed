-- Rows of measurement that were accepted on reading but are not current.
-- 1. Repeated keys (staging.measurement_repeat).
-- 2. Visits that are missing, or set aside themselves: their measurements are quarantined.
-- 3. Rows of a visit that was taken back are superseded with it.
-- Source: needlepoint contract, checks measurement.key.unique and measurement.visit_key.reference.
-- grain: delivery_id, file, row_number, visit_key, measure_id, side, active_passive, method
with orphan_visit as (
    select visit_key
    from staging.visit_in_doubt
    where is_orphan
),

repeat as (
    select
        delivery_id,
        file,
        row_number,
        visit_key,
        measure_id,
        side,
        active_passive,
        method,
        check_id,
        fate
    from staging.measurement_repeat
),

orphan as (
    select
        measurement.delivery_id,
        measurement.file,
        measurement.row_number,
        measurement.visit_key,
        measurement.measure_id,
        measurement.side,
        measurement.active_passive,
        measurement.method
    from lake.measurement
    inner join orphan_visit on measurement.visit_key = orphan_visit.visit_key
    where measurement.accepted
)

select
    delivery_id,
    file,
    row_number,
    visit_key,
    measure_id,
    side,
    active_passive,
    method,
    check_id,
    fate
from repeat
union all
select
    orphan.delivery_id,
    orphan.file,
    orphan.row_number,
    orphan.visit_key,
    orphan.measure_id,
    orphan.side,
    orphan.active_passive,
    orphan.method,
    case
        when withdrawn_visit.visit_key is null then 'measurement.visit_key.reference'
        else 'measurement.key.withdrawn'
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
        and orphan.measure_id = repeat.measure_id
        and orphan.side = repeat.side
        and coalesce(orphan.active_passive, '') = coalesce(repeat.active_passive, '')
        and coalesce(orphan.method, '') = coalesce(repeat.method, '')
where repeat.row_number is null
