-- One score of one measure, on one side, at one visit.
-- Current rows only: accepted, not superseded, not set aside by a rule between rows.
-- A view: the rows stay in the lake. Only rows of visits in doubt are compared with those set aside. The case says
-- "accepted and not set aside": DuckDB guesses that each of two plain conditions keeps a fifth of the rows, and would
-- then hash all measurements instead of the visits they are joined to.
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

visit_in_doubt as (
    select visit_key
    from staging.visit_in_doubt
)

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
left join visit_in_doubt on sent.visit_key = visit_in_doubt.visit_key
left join set_aside
    on
        visit_in_doubt.visit_key = set_aside.visit_key
        and sent.delivery_id = set_aside.delivery_id
        and sent.file = set_aside.file
        and sent.row_number = set_aside.row_number
        and sent.measure_id = set_aside.measure_id
        and sent.side = set_aside.side
        and coalesce(sent.active_passive, '') = coalesce(set_aside.active_passive, '')
        and coalesce(sent.method, '') = coalesce(set_aside.method, '')
where case when set_aside.row_number is null then sent.accepted else false end
