-- Rows of visit that are not current because their key occurs more than once.
-- 1. A key that one delivery states twice with different content: all its rows are quarantined, whoever is right.
-- 2. A key that one delivery states twice with the same content: the first row stays, the others are superseded.
-- 3. A key in several deliveries: the latest stays (by extract stamp, then delivery id), the others are superseded.
-- 4. A quarantined latest version does not bring an older one back: the clinic withdrew that one.
-- Source: needlepoint contract, check visit.key.unique.
-- grain: delivery_id, file, row_number, visit_key
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

delivery as (
    select
        delivery_id,
        extract_stamp
    from lake.delivery
),

repeated as (
    select visit_key
    from lake.visit
    where accepted
    group by visit_key
    having count(*) > 1
),

compared as (
    select
        accepted.visit_key,
        accepted.delivery_id,
        accepted.file,
        accepted.row_number,
        dense_rank() over (
            partition by accepted.visit_key
            order by delivery.extract_stamp desc, accepted.delivery_id desc
        ) as version_back,
        row_number() over (
            partition by accepted.visit_key, accepted.delivery_id
            order by accepted.file, accepted.row_number
        ) as copy_number,
        dense_rank() over (
            partition by accepted.visit_key, accepted.delivery_id
            order by
                accepted.episode_key,
                accepted.day_offset,
                accepted.planned_day,
                accepted.visit_type,
                accepted.attendance,
                accepted.adverse_events_asked
        ) as content_number
    from accepted
    inner join repeated
        on accepted.visit_key = repeated.visit_key
    inner join delivery on accepted.delivery_id = delivery.delivery_id
),

judged as (
    select
        *,
        max(content_number) over (
            partition by visit_key, delivery_id
        ) as contents
    from compared
)

select
    delivery_id,
    file,
    row_number,
    visit_key,
    'visit.key.unique' as check_id,
    case when contents > 1 then 'quarantined' else 'superseded' end as fate
from judged
where contents > 1 or version_back > 1 or copy_number > 1
