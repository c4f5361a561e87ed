-- One score of one measure, on one side, at one visit.
-- Current rows only: accepted, not superseded, not set aside by a rule between rows.
-- A view: the rows stay in the lake. Rows of a visit nothing of which was set aside are current as they are, so that
-- nearly all need only their visit looked up; those of the other visits are compared one by one. The case says
-- "accepted and of no such visit": DuckDB guesses that each of two plain conditions keeps a fifth of the rows, and
-- would then hash these rows instead of what they are joined to.
-- materialised: view
-- grain: visit_key, measure_id, side, active_passive, method
with sent as (
    select
        accepted,
        visit_key,
        measure_id,
        side,
        active_passive,
        method,
        rater_key,
        value,
        unit,
        delivery_id,
        file,
        row_number
    from lake.measurement
),

accepted as (
    select
        visit_key,
        measure_id,
        side,
        active_passive,
        method,
        rater_key,
        value,
        unit,
        delivery_id,
        file,
        row_number
    from lake.measurement
    where accepted
),

set_aside as (
    select
        delivery_id,
        file,
        row_number,
        visit_key,
        measure_id,
        side,
        active_passive,
        method
    from staging.measurement_set_aside
),

touched_visit as (
    select visit_key
    from staging.measurement_set_aside
    group by visit_key
),

untouched as (
    select
        sent.visit_key,
        sent.measure_id,
        sent.side,
        sent.active_passive,
        sent.method,
        sent.rater_key,
        sent.value,
        sent.unit,
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
        accepted.measure_id,
        accepted.side,
        accepted.active_passive,
        accepted.method,
        accepted.rater_key,
        accepted.value,
        accepted.unit,
        accepted.delivery_id,
        accepted.file,
        accepted.row_number
    from accepted
    inner join touched_visit on accepted.visit_key = touched_visit.visit_key
)

select
    visit_key,
    measure_id,
    side,
    active_passive,
    method,
    rater_key,
    value,
    unit,
    delivery_id,
    file,
    row_number
from untouched
union all
select
    doubtful.visit_key,
    doubtful.measure_id,
    doubtful.side,
    doubtful.active_passive,
    doubtful.method,
    doubtful.rater_key,
    doubtful.value,
    doubtful.unit,
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
        and doubtful.measure_id = set_aside.measure_id
        and doubtful.side = set_aside.side
        and coalesce(doubtful.active_passive, '') = coalesce(set_aside.active_passive, '')
        and coalesce(doubtful.method, '') = coalesce(set_aside.method, '')
where set_aside.row_number is null
