-- Rows of patient that are not current because their key occurs more than once.
-- 1. A key that one delivery states twice with different content: all its rows are quarantined, whoever is right.
-- 2. A key that one delivery states twice with the same content: the first row stays, the others are superseded.
-- 3. A key in several deliveries: the latest stays (by extract stamp, then delivery id), the others are superseded.
-- 4. A quarantined latest version does not bring an older one back: the clinic withdrew that one.
-- Source: needlepoint contract, check patient.key.unique.
-- grain: delivery_id, file, row_number, patient_key
with accepted as (
    select
        patient_key,
        sex,
        age_years,
        zip3,
        population,
        delivery_id,
        file,
        row_number
    from lake.patient
    where accepted
),

delivery as (
    select
        delivery_id,
        extract_stamp
    from lake.delivery
),

repeated as (
    select patient_key
    from lake.patient
    where accepted
    group by patient_key
    having count(*) > 1
),

compared as (
    select
        accepted.patient_key,
        accepted.delivery_id,
        accepted.file,
        accepted.row_number,
        dense_rank() over (
            partition by accepted.patient_key
            order by delivery.extract_stamp desc, accepted.delivery_id desc
        ) as version_back,
        row_number() over (
            partition by accepted.patient_key, accepted.delivery_id
            order by accepted.file, accepted.row_number
        ) as copy_number,
        dense_rank() over (
            partition by accepted.patient_key, accepted.delivery_id
            order by
                accepted.sex,
                accepted.age_years,
                accepted.zip3,
                accepted.population
        ) as content_number
    from accepted
    inner join repeated
        on accepted.patient_key = repeated.patient_key
    inner join delivery on accepted.delivery_id = delivery.delivery_id
),

judged as (
    select
        *,
        max(content_number) over (
            partition by patient_key, delivery_id
        ) as contents
    from compared
)

select
    delivery_id,
    file,
    row_number,
    patient_key,
    'patient.key.unique' as check_id,
    case when contents > 1 then 'quarantined' else 'superseded' end as fate
from judged
where contents > 1 or version_back > 1 or copy_number > 1
