-- Rows of episode that are not current because their key occurs more than once.
-- 1. A key that one delivery states twice with different content: all its rows are quarantined, whoever is right.
-- 2. A key that one delivery states twice with the same content: the first row stays, the others are superseded.
-- 3. A key in several deliveries: the latest stays (by extract stamp, then delivery id), the others are superseded.
-- 4. A quarantined latest version does not bring an older one back: the clinic withdrew that one.
-- Source: needlepoint contract, check episode.key.unique.
-- grain: delivery_id, file, row_number, episode_key
with accepted as (
    select
        episode_key,
        patient_key,
        clinic_key,
        therapist_key,
        condition_id,
        side,
        start_year,
        symptom_duration,
        surgery_count,
        comorbidity_count,
        fear_avoidance,
        prior_episode,
        payer,
        discharge_day,
        discharge_reason,
        arm,
        delivery_id,
        file,
        row_number
    from lake.episode
    where accepted
),

delivery as (
    select
        delivery_id,
        extract_stamp
    from lake.delivery
),

repeated as (
    select episode_key
    from lake.episode
    where accepted
    group by episode_key
    having count(*) > 1
),

compared as (
    select
        accepted.episode_key,
        accepted.delivery_id,
        accepted.file,
        accepted.row_number,
        dense_rank() over (
            partition by accepted.episode_key
            order by delivery.extract_stamp desc, accepted.delivery_id desc
        ) as version_back,
        row_number() over (
            partition by accepted.episode_key, accepted.delivery_id
            order by accepted.file, accepted.row_number
        ) as copy_number,
        dense_rank() over (
            partition by accepted.episode_key, accepted.delivery_id
            order by
                accepted.patient_key,
                accepted.clinic_key,
                accepted.therapist_key,
                accepted.condition_id,
                accepted.side,
                accepted.start_year,
                accepted.symptom_duration,
                accepted.surgery_count,
                accepted.comorbidity_count,
                accepted.fear_avoidance,
                accepted.prior_episode,
                accepted.payer,
                accepted.discharge_day,
                accepted.discharge_reason,
                accepted.arm
        ) as content_number
    from accepted
    inner join repeated
        on accepted.episode_key = repeated.episode_key
    inner join delivery on accepted.delivery_id = delivery.delivery_id
),

judged as (
    select
        *,
        max(content_number) over (
            partition by episode_key, delivery_id
        ) as contents
    from compared
)

select
    delivery_id,
    file,
    row_number,
    episode_key,
    'episode.key.unique' as check_id,
    case when contents > 1 then 'quarantined' else 'superseded' end as fate
from judged
where contents > 1 or version_back > 1 or copy_number > 1
