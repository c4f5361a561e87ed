-- Rows of measurement that are not current because their key occurs more than once.
-- 1. A key that one delivery states twice with different content: all its rows are quarantined, whoever is right.
-- 2. A key that one delivery states twice with the same content: the first row stays, the others are superseded.
-- 3. A key in several deliveries: the latest stays (by extract stamp, then delivery id), the others are superseded.
-- 4. A quarantined latest version does not bring an older one back: the clinic withdrew that one.
-- 5. Only visits in doubt (staging.visit_in_doubt) are looked at. A way of measuring that was not stated is ''.
-- Source: needlepoint contract, check measurement.key.unique.
-- grain: delivery_id, file, row_number, visit_key, measure_id, side, active_passive, method
with in_doubt as (
    select visit_key
    from staging.visit_in_doubt
    where is_repeated
),

accepted as (
    select
        measurement.visit_key,
        measurement.measure_id,
        measurement.side,
        coalesce(measurement.active_passive, '') as active_passive,
        coalesce(measurement.method, '') as method,
        measurement.rater_key,
        measurement.value,
        measurement.unit,
        measurement.delivery_id,
        measurement.file,
        measurement.row_number
    from lake.measurement
    inner join in_doubt on measurement.visit_key = in_doubt.visit_key
    where measurement.accepted
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
        measure_id,
        side,
        active_passive,
        method
    from accepted
    group by visit_key, measure_id, side, active_passive, method
    having count(*) > 1
),

compared as (
    select
        accepted.visit_key,
        accepted.measure_id,
        accepted.side,
        accepted.active_passive,
        accepted.method,
        accepted.delivery_id,
        accepted.file,
        accepted.row_number,
        dense_rank() over (
            partition by
                accepted.visit_key,
                accepted.measure_id,
                accepted.side,
                accepted.active_passive,
                accepted.method
            order by delivery.extract_stamp desc, accepted.delivery_id desc
        ) as version_back,
        row_number() over (
            partition by
                accepted.visit_key,
                accepted.measure_id,
                accepted.side,
                accepted.active_passive,
                accepted.method,
                accepted.delivery_id
            order by accepted.file, accepted.row_number
        ) as copy_number,
        dense_rank() over (
            partition by
                accepted.visit_key,
                accepted.measure_id,
                accepted.side,
                accepted.active_passive,
                accepted.method,
                accepted.delivery_id
            order by
                accepted.rater_key,
                accepted.value,
                accepted.unit
        ) as content_number
    from accepted
    inner join repeated
        on
            accepted.visit_key = repeated.visit_key
            and accepted.measure_id = repeated.measure_id
            and accepted.side = repeated.side
            and accepted.active_passive = repeated.active_passive
            and accepted.method = repeated.method
    inner join delivery on accepted.delivery_id = delivery.delivery_id
),

judged as (
    select
        *,
        max(content_number) over (
            partition by visit_key, measure_id, side, active_passive, method, delivery_id
        ) as contents
    from compared
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
    'measurement.key.unique' as check_id,
    case when contents > 1 then 'quarantined' else 'superseded' end as fate
from judged
where contents > 1 or version_back > 1 or copy_number > 1
