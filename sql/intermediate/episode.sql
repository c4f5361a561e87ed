-- Each episode with the days that decide which scores count, and with a number that stands for its key in joins.
-- 1. Last visit: the last attended visit of any type. Visits not attended count nowhere.
-- 2. First treatment: the first attended visit with a treatment of any class.
-- 3. Closed: discharged for whatever reason, reason unknown included; only still_open is open.
-- 4. Care: the arm where the feed has one; else dry needling when it was given on an attended visit up to the landmark
--    day, else other care. Later needling does not count: it would give the needled the time they had to survive.
-- Source: domain reference 4.1 and 4.3 (landmark analysis against immortal time).
-- grain: episode_key
with episode as (
    select
        episode_key,
        patient_key,
        clinic_key,
        therapist_key,
        condition_id,
        side,
        start_year,
        start_month,
        discharge_day,
        discharge_reason,
        arm
    from staging.episode
),

patient as (
    select
        patient_key,
        population
    from staging.patient
),

visit as (
    select
        visit_key,
        episode_key,
        day_offset
    from staging.visit
    where attendance = 'attended'
),

treatment as (
    select
        visit_key,
        treatment_class
    from staging.treatment
),

landmark as (
    select value as landmark_day
    from reference.parameter
    where name = 'landmark_day'
),

episode_visit as (
    select
        episode_key,
        count(*) as visit_count,
        max(day_offset) as last_visit_day
    from visit
    group by episode_key
),

episode_treatment as (
    select
        visit.episode_key,
        min(visit.day_offset) as first_treatment_day,
        min(case when treatment.treatment_class = 'dry_needling' then visit.day_offset end) as first_needling_day
    from treatment
    inner join visit on treatment.visit_key = visit.visit_key
    group by visit.episode_key
)

select
    cast(row_number() over (order by episode.episode_key) as integer) as episode_no,
    episode.episode_key,
    episode.patient_key,
    episode.clinic_key,
    episode.therapist_key,
    episode.condition_id,
    episode.side,
    episode.start_year,
    episode.start_month,
    patient.population,
    episode.arm,
    episode.discharge_reason,
    episode.discharge_reason <> 'still_open' as is_closed,
    episode.discharge_day,
    episode_visit.last_visit_day,
    episode_treatment.first_treatment_day,
    case
        when episode.arm is not null then episode.arm
        when episode_treatment.first_needling_day <= landmark.landmark_day then 'dry_needling'
        else 'other_care'
    end as care,
    coalesce(episode_visit.visit_count, 0) as visit_count
from episode
inner join patient on episode.patient_key = patient.patient_key
left join episode_visit on episode.episode_key = episode_visit.episode_key
left join episode_treatment on episode.episode_key = episode_treatment.episode_key
cross join landmark
