-- One episode of care: a patient treated for one condition, from evaluation to discharge.
-- Current rows only: accepted, not superseded, not set aside by a rule between rows.
-- Days and year that the feed did not state come from the calendar of the visits (staging.first_visit), and so does the
-- month of the first visit, which is null unless the calendar is the real one.
-- A view: the rows stay in the lake.
-- materialised: view
-- grain: episode_key
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
        discharge_calendar_day,
        arm,
        delivery_id,
        file,
        row_number
    from lake.episode
    where accepted
),

set_aside as (
    select
        delivery_id,
        file,
        row_number,
        episode_key
    from staging.episode_set_aside
),

first_visit as (
    select
        episode_key,
        first_calendar_day,
        start_year,
        start_month
    from staging.first_visit
)

select
    accepted.episode_key,
    accepted.patient_key,
    accepted.clinic_key,
    accepted.therapist_key,
    accepted.condition_id,
    accepted.side,
    cast(coalesce(accepted.start_year, first_visit.start_year) as integer) as start_year,
    first_visit.start_month,
    accepted.symptom_duration,
    accepted.surgery_count,
    accepted.comorbidity_count,
    accepted.fear_avoidance,
    accepted.prior_episode,
    accepted.payer,
    coalesce(
        accepted.discharge_day,
        accepted.discharge_calendar_day - first_visit.first_calendar_day
    ) as discharge_day,
    accepted.discharge_reason,
    accepted.arm,
    accepted.delivery_id,
    accepted.file,
    accepted.row_number
from accepted
left join set_aside
    on
        accepted.delivery_id = set_aside.delivery_id
        and accepted.file = set_aside.file
        and accepted.row_number = set_aside.row_number
        and accepted.episode_key = set_aside.episode_key
left join first_visit on accepted.episode_key = first_visit.episode_key
where set_aside.row_number is null
