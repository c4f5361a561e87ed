-- Precautions to needling and whether patients with them were needled, by clinic (null: all).
-- 1. State: yes, no or unknown as recorded; not_asked where the patient has no row of that precaution. Neither of the
--    last two means that the patient has none.
-- 2. Needled: dry needling at an attended visit. What was known on that day is not in the data: precautions are asked
--    for at intake, and one that came up later counts for all sessions.
-- 3. A patient of two clinics counts in each, and once in all. Sessions count where they took place.
-- Source: domain reference 3.
-- grain: clinic_key, precaution_type, state
with episode as (
    select
        episode_no,
        clinic_key,
        patient_key
    from intermediate.episode
),

episode_twitch as (
    select
        episode_no,
        sessions
    from intermediate.episode_twitch
),

precaution as (
    select
        patient_key,
        precaution_type,
        present
    from staging.precaution
),

precaution_type as (
    select precaution_type
    from reference.precaution_type
),

clinic_patient as (
    select
        episode.clinic_key,
        episode.patient_key,
        coalesce(sum(episode_twitch.sessions), 0) as needling_sessions
    from episode
    left join episode_twitch on episode.episode_no = episode_twitch.episode_no
    group by episode.clinic_key, episode.patient_key
),

asked as (
    select
        clinic_patient.clinic_key,
        clinic_patient.patient_key,
        clinic_patient.needling_sessions,
        precaution_type.precaution_type,
        coalesce(precaution.present, 'not_asked') as state
    from clinic_patient
    cross join precaution_type
    left join precaution
        on
            clinic_patient.patient_key = precaution.patient_key
            and precaution_type.precaution_type = precaution.precaution_type
)

select
    clinic_key,
    precaution_type,
    state,
    count(distinct patient_key) as patients,
    count(distinct case when needling_sessions > 0 then patient_key end) as needled_patients,
    cast(sum(needling_sessions) as bigint) as needling_sessions
from asked
group by precaution_type, state, cube (clinic_key)
