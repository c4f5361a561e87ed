-- One de-identified person.
-- Current rows only: accepted, not superseded, not set aside by a rule between rows.
-- A view: the rows stay in the lake.
-- materialised: view
-- grain: patient_key
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

set_aside as (
    select
        delivery_id,
        file,
        row_number,
        patient_key
    from staging.patient_repeat
)

select
    accepted.patient_key,
    accepted.sex,
    accepted.age_years,
    accepted.zip3,
    accepted.population,
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
where set_aside.row_number is null
