-- Rows of treatment that are not current because their key occurs more than once.
-- 1. A key that one delivery states twice with different content: all its rows are quarantined, whoever is right.
-- 2. A key that one delivery states twice with the same content: the first row stays, the others are superseded.
-- 3. A key in several deliveries: the latest stays (by extract stamp, then delivery id), the others are superseded.
-- 4. A quarantined latest version does not bring an older one back: the clinic withdrew that one.
-- 5. Only visits in doubt (staging.treatment_in_doubt) are looked at.
-- Source: needlepoint contract, check treatment.key.unique.
-- grain: delivery_id, file, row_number, visit_key, treatment_class
with in_doubt as (
    select visit_key
    from staging.treatment_in_doubt
    where is_repeated
),

accepted as (
    select
        treatment.visit_key,
        treatment.treatment_class,
        treatment.minutes,
        treatment.needle_count,
        treatment.muscle_count,
        treatment.technique,
        treatment.ltr_elicited,
        treatment.delivery_id,
        treatment.file,
        treatment.row_number
    from lake.treatment
    inner join in_doubt on treatment.visit_key = in_doubt.visit_key
    where treatment.accepted
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
        treatment_class
    from accepted
    group by visit_key, treatment_class
    having count(*) > 1
),

compared as (
    select
        accepted.visit_key,
        accepted.treatment_class,
        accepted.delivery_id,
        accepted.file,
        accepted.row_number,
        dense_rank() over (
            partition by accepted.visit_key, accepted.treatment_class
            order by delivery.extract_stamp desc, accepted.delivery_id desc
        ) as version_back,
        row_number() over (
            partition by accepted.visit_key, accepted.treatment_class, accepted.delivery_id
            order by accepted.file, accepted.row_number
        ) as copy_number,
        dense_rank() over (
            partition by accepted.visit_key, accepted.treatment_class, accepted.delivery_id
            order by
                accepted.minutes,
                accepted.needle_count,
                accepted.muscle_count,
                accepted.technique,
                accepted.ltr_elicited
        ) as content_number
    from accepted
    inner join repeated
        on
            accepted.visit_key = repeated.visit_key
            and accepted.treatment_class = repeated.treatment_class
    inner join delivery on accepted.delivery_id = delivery.delivery_id
),

judged as (
    select
        *,
        max(content_number) over (
            partition by visit_key, treatment_class, delivery_id
        ) as contents
    from compared
)

select
    delivery_id,
    file,
    row_number,
    visit_key,
    treatment_class,
    'treatment.key.unique' as check_id,
    case when contents > 1 then 'quarantined' else 'superseded' end as fate
from judged
where contents > 1 or version_back > 1 or copy_number > 1
