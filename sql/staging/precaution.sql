-- A precaution to needling, asked for at intake.
-- Current rows only: accepted, not superseded, not set aside by a rule between rows.
-- A view: the rows stay in the lake.
-- materialised: view
-- grain: patient_key, precaution_type
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

set_aside as (
    select
        delivery_id,
        file,
        row_number,
        patient_key,
        precaution_type
    from staging.precaution_set_aside
)

select
    accepted.patient_key,
    accepted.precaution_type,
    accepted.present,
    accepted.delivery_id,
    accepted.file,
    accepted.row_number
from accepted
left join set_aside
    on
        accepted.delivery_id = set_aside.delivery_id
        and accepted.file = set_aside.file
        and accepted.row_number = set_aside.row_number
        and accepted.patient_key = set_aside.patient_key
        and accepted.precaution_type = set_aside.precaution_type
where set_aside.row_number is null
