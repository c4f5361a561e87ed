-- One kind of treatment given at one visit.
-- Current rows only: accepted, not superseded, not set aside by a rule between rows.
-- A view: the rows stay in the lake. Rows of a visit nothing of which was set aside are current as they are, so that
-- nearly all need only their visit looked up; those of the other visits are compared one by one. The case says
-- "accepted and of no such visit": DuckDB guesses that each of two plain conditions keeps a fifth of the rows, and
-- would then hash these rows instead of what they are joined to.
-- materialised: view
-- grain: visit_key, treatment_class
with sent as (
    select
        accepted,
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
),

accepted as (
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
),

touched_visit as (
    select visit_key
    from staging.treatment_set_aside
    group by visit_key
),

untouched as (
    select
        sent.visit_key,
        sent.treatment_class,
        sent.minutes,
        sent.needle_count,
        sent.muscle_count,
        sent.technique,
        sent.ltr_elicited,
        sent.delivery_id,
        sent.file,
        sent.row_number
    from sent
    left join touched_visit on sent.visit_key = touched_visit.visit_key
    where case when touched_visit.visit_key is null then sent.accepted else false end
),

doubtful as (
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
    inner join touched_visit on accepted.visit_key = touched_visit.visit_key
)

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
from untouched
union all
select
    doubtful.visit_key,
    doubtful.treatment_class,
    doubtful.minutes,
    doubtful.needle_count,
    doubtful.muscle_count,
    doubtful.technique,
    doubtful.ltr_elicited,
    doubtful.delivery_id,
    doubtful.file,
    doubtful.row_number
from doubtful
left join set_aside
    on
        doubtful.delivery_id = set_aside.delivery_id
        and doubtful.file = set_aside.file
        and doubtful.row_number = set_aside.row_number
        and doubtful.visit_key = set_aside.visit_key
        and doubtful.treatment_class = set_aside.treatment_class
where set_aside.row_number is null
