-- Episodes of trials: the arm as assigned, and what was known then.
-- 1. A trial is the feed that has the arms: the name of its profile.
-- 2. Codes that the feed left out are 'unknown', numbers stay null.
-- A view: trials are small and this is read once.
-- materialised: view
-- grain: episode_key
with episode as (
    select
        episode_key,
        patient_key,
        clinic_key,
        condition_id,
        side,
        symptom_duration,
        surgery_count,
        comorbidity_count,
        fear_avoidance,
        prior_episode,
        payer,
        arm,
        delivery_id
    from staging.episode
    where arm is not null
),

patient as (
    select
        patient_key,
        age_years,
        sex,
        population
    from staging.patient
),

delivery as (
    select
        delivery_id,
        profile
    from lake.delivery
)

select
    episode.episode_key,
    episode.patient_key,
    delivery.profile as trial_id,
    episode.arm,
    patient.age_years,
    coalesce(patient.sex, 'unknown') as sex,
    coalesce(patient.population, 'unknown') as population,
    episode.condition_id,
    coalesce(episode.side, 'unknown') as side,
    episode.clinic_key,
    coalesce(episode.symptom_duration, 'unknown') as symptom_duration,
    episode.surgery_count,
    episode.comorbidity_count,
    coalesce(episode.fear_avoidance, 'unknown') as fear_avoidance,
    coalesce(episode.prior_episode, 'unknown') as prior_episode,
    coalesce(episode.payer, 'unknown') as payer
from episode
inner join patient on episode.patient_key = patient.patient_key
inner join delivery on episode.delivery_id = delivery.delivery_id
