-- One kind of treatment given at one visit.
-- Current rows only: accepted, not superseded, not set aside by a rule between rows.
-- A view: the rows stay in the lake.
-- materialised: view
-- grain: visit_key, treatment_class
with accepted as (
    select
        visit_key,
        treatment_class,
        minutes,
        needle_count,
        muscle_count,
        technique,
        ltr_elicited,
        delivery_id,
        file,
        row_number
    from lake.treatment
    where accepted
),

set_aside as (
    select
        delivery_id,
        file,
        row_number,
        visit_key,
        treatment_class
    from staging.treatment_set_aside
)

select
    accepted.visit_key,
    accepted.treatment_class,
    accepted.minutes,
    accepted.needle_count,
    accepted.muscle_count,
    accepted.technique,
    accepted.ltr_elicited,
    accepted.delivery_id,
    accepted.file,
    accepted.row_number
from accepted
left join set_aside
    on
        accepted.delivery_id = set_aside.delivery_id
        and accepted.file = set_aside.file
        and accepted.row_number = set_aside.row_number
        and accepted.visit_key = set_aside.visit_key
        and accepted.treatment_class = set_aside.treatment_class
where set_aside.row_number is null
