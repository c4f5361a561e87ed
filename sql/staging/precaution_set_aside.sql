-- Rows of precaution that were accepted on reading but are not current.
-- 1. Repeated keys (staging.precaution_repeat).
-- 2. patients that are missing, or set aside themselves: their rows are quarantined.
-- 3. Rows of a patient that was taken back are superseded with it.
-- Source: needlepoint contract, checks precaution.key.unique and precaution.patient_key.reference.
-- grain: delivery_id, file, row_number, patient_key, precaution_type
with accepted as (
    select
        delivery_id,
        file,
        row_number,
        patient_key,
        precaution_type
    from lake.precaution
    where accepted
),

repeat as (
    select
        delivery_id,
        file,
        row_number,
        patient_key,
        precaution_type,
        check_id,
        fate
    from staging.precaution_repeat
),

patient as (
    select patient_key
    from staging.patient
),

orphan as (
    select
        accepted.delivery_id,
        accepted.file,
        accepted.row_number,
        accepted.patient_key,
        accepted.precaution_type
    from accepted
    left join patient on accepted.patient_key = patient.patient_key
    where patient.patient_key is null
)

select
    delivery_id,
    file,
    row_number,
    patient_key,
    precaution_type,
    check_id,
    fate
from repeat
union all
select
    orphan.delivery_id,
    orphan.file,
    orphan.row_number,
    orphan.patient_key,
    orphan.precaution_type,
    case
        when withdrawn_patient.patient_key is null then 'precaution.patient_key.reference'
        else 'precaution.key.withdrawn'
    end as check_id,
    case when withdrawn_patient.patient_key is null then 'quarantined' else 'superseded' end as fate
from orphan
left join staging.withdrawn_patient on orphan.patient_key = withdrawn_patient.patient_key
left join repeat
    on
        orphan.delivery_id = repeat.delivery_id
        and orphan.file = repeat.file
        and orphan.row_number = repeat.row_number
        and orphan.patient_key = repeat.patient_key
        and orphan.precaution_type = repeat.precaution_type
where repeat.row_number is null
