-- Rows of episode that were accepted on reading but are not current.
-- 1. Repeated keys (staging.episode_repeat).
-- 2. Patients that are missing, or set aside themselves: their episodes are quarantined.
-- 3. Episodes of a patient who was taken back are superseded with the patient.
-- 4. An attended care visit after discharge: one of the two days is wrong, and both decide the outcome. Follow-up
--    visits may lie later. Visits are taken as sent: theirs cannot depend on the episode they are to judge.
-- Source: needlepoint contract, checks episode.key.unique, episode.patient_key.reference and
-- episode.discharge_day.after_last_visit.
-- grain: delivery_id, file, row_number, episode_key
with accepted as (
    select
        delivery_id,
        file,
        row_number,
        episode_key,
        patient_key,
        discharge_day,
        discharge_calendar_day
    from lake.episode
    where accepted
),

repeat as (
    select
        delivery_id,
        file,
        row_number,
        episode_key,
        check_id,
        fate
    from staging.episode_repeat
),

patient as (
    select patient_key
    from staging.patient
),

visit as (
    select
        delivery_id,
        file,
        row_number,
        visit_key,
        episode_key,
        day_offset,
        calendar_day
    from lake.visit
    where accepted and attendance = 'attended' and visit_type <> 'follow_up'
),

visit_repeat as (
    select
        delivery_id,
        file,
        row_number,
        visit_key
    from staging.visit_repeat
),

first_visit as (
    select
        episode_key,
        first_calendar_day
    from staging.first_visit
),

last_visit as (
    select
        visit.episode_key,
        max(coalesce(visit.day_offset, visit.calendar_day - first_visit.first_calendar_day)) as last_visit_day,
        max(first_visit.first_calendar_day) as first_calendar_day
    from visit
    left join first_visit on visit.episode_key = first_visit.episode_key
    left join visit_repeat
        on
            visit.delivery_id = visit_repeat.delivery_id
            and visit.file = visit_repeat.file
            and visit.row_number = visit_repeat.row_number
            and visit.visit_key = visit_repeat.visit_key
    where visit_repeat.row_number is null
    group by visit.episode_key
),

judged as (
    select
        accepted.delivery_id,
        accepted.file,
        accepted.row_number,
        accepted.episode_key,
        case
            when withdrawn_patient.patient_key is not null and patient.patient_key is null then 'episode.key.withdrawn'
            when patient.patient_key is null then 'episode.patient_key.reference'
            when
                last_visit.last_visit_day
                > coalesce(accepted.discharge_day, accepted.discharge_calendar_day - last_visit.first_calendar_day)
                then 'episode.discharge_day.after_last_visit'
        end as check_id
    from accepted
    left join repeat
        on
            accepted.delivery_id = repeat.delivery_id
            and accepted.file = repeat.file
            and accepted.row_number = repeat.row_number
            and accepted.episode_key = repeat.episode_key
    left join patient on accepted.patient_key = patient.patient_key
    left join staging.withdrawn_patient on accepted.patient_key = withdrawn_patient.patient_key
    left join last_visit on accepted.episode_key = last_visit.episode_key
    where repeat.row_number is null
)

select
    delivery_id,
    file,
    row_number,
    episode_key,
    check_id,
    fate
from repeat
union all
select
    delivery_id,
    file,
    row_number,
    episode_key,
    check_id,
    case when check_id = 'episode.key.withdrawn' then 'superseded' else 'quarantined' end as fate
from judged
where check_id is not null
