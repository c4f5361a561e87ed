-- Rows of precaution that are not current because their key occurs more than once.
-- 1. A key that one delivery states twice with different content: all its rows are quarantined, whoever is right.
-- 2. A key that one delivery states twice with the same content: the first row stays, the others are superseded.
-- 3. A key in several deliveries: the latest stays (by extract stamp, then delivery id), the others are superseded.
-- 4. A quarantined latest version does not bring an older one back: the clinic withdrew that one.
-- Source: needlepoint contract, check precaution.key.unique.
-- grain: delivery_id, file, row_number, patient_key, precaution_type
with accepted as (
    select
        patient_key,
        precaution_type,
        present,
        delivery_id,
        file,
        row_number
    from lake.precaution
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
        patient_key,
        precaution_type
    from lake.precaution
    where accepted
    group by patient_key, precaution_type
    having count(*) > 1
),

compared as (
    select
        accepted.patient_key,
        accepted.precaution_type,
        accepted.delivery_id,
        accepted.file,
        accepted.row_number,
        dense_rank() over (
            partition by accepted.patient_key, accepted.precaution_type
            order by delivery.extract_stamp desc, accepted.delivery_id desc
        ) as version_back,
        row_number() over (
            partition by accepted.patient_key, accepted.precaution_type, accepted.delivery_id
            order by accepted.file, accepted.row_number
        ) as copy_number,
        dense_rank() over (
            partition by accepted.patient_key, accepted.precaution_type, accepted.delivery_id
            order by
                accepted.present
        ) as content_number
    from accepted
    inner join repeated
        on
            accepted.patient_key = repeated.patient_key
            and accepted.precaution_type = repeated.precaution_type
    inner join delivery on accepted.delivery_id = delivery.delivery_id
),

judged as (
    select
        *,
        max(content_number) over (
            partition by patient_key, precaution_type, delivery_id
        ) as contents
    from compared
)

select
    delivery_id,
    file,
    row_number,
    patient_key,
    precaution_type,
    'precaution.key.unique' as check_id,
    case when contents > 1 then 'quarantined' else 'superseded' end as fate
from judged
where contents > 1 or version_back > 1 or copy_number > 1
