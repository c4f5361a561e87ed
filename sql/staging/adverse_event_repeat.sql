-- Rows of adverse_event that are not current because their key occurs more than once.
-- 1. A key that one delivery states twice with different content: all its rows are quarantined, whoever is right.
-- 2. A key that one delivery states twice with the same content: the first row stays, the others are superseded.
-- 3. A key in several deliveries: the latest stays (by extract stamp, then delivery id), the others are superseded.
-- 4. A quarantined latest version does not bring an older one back: the clinic withdrew that one.
-- Source: needlepoint contract, check adverse_event.key.unique.
-- grain: delivery_id, file, row_number, visit_key, event_type
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

delivery as (
    select
        delivery_id,
        extract_stamp
    from lake.delivery
),

repeated as (
    select
        visit_key,
        event_type
    from lake.adverse_event
    where accepted
    group by visit_key, event_type
    having count(*) > 1
),

compared as (
    select
        accepted.visit_key,
        accepted.event_type,
        accepted.delivery_id,
        accepted.file,
        accepted.row_number,
        dense_rank() over (
            partition by accepted.visit_key, accepted.event_type
            order by delivery.extract_stamp desc, accepted.delivery_id desc
        ) as version_back,
        row_number() over (
            partition by accepted.visit_key, accepted.event_type, accepted.delivery_id
            order by accepted.file, accepted.row_number
        ) as copy_number,
        dense_rank() over (
            partition by accepted.visit_key, accepted.event_type, accepted.delivery_id
            order by
                accepted.severity,
                accepted.duration_hours,
                accepted.resolved,
                accepted.related
        ) as content_number
    from accepted
    inner join repeated
        on
            accepted.visit_key = repeated.visit_key
            and accepted.event_type = repeated.event_type
    inner join delivery on accepted.delivery_id = delivery.delivery_id
),

judged as (
    select
        *,
        max(content_number) over (
            partition by visit_key, event_type, delivery_id
        ) as contents
    from compared
)

select
    delivery_id,
    file,
    row_number,
    visit_key,
    event_type,
    'adverse_event.key.unique' as check_id,
    case when contents > 1 then 'quarantined' else 'superseded' end as fate
from judged
where contents > 1 or version_back > 1 or copy_number > 1
