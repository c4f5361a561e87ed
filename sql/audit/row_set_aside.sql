-- Every accepted row that is not current, of all tables, with what became of it.
-- 1. Quarantined: it violates a rule between rows. Superseded: a later or identical row stands in its place; that
--    violates nothing.
-- 2. Rows of a source that feeds several tables are named by their source row: several scores of one source row are one
--    line here.
-- grain: table_name, delivery_id, file, row_number, check_id, fate
with set_aside as (
    select
        'patient' as table_name,
        delivery_id,
        file,
        row_number,
        check_id,
        fate
    from staging.patient_repeat
    union all
    select
        'episode' as table_name,
        delivery_id,
        file,
        row_number,
        check_id,
        fate
    from staging.episode_set_aside
    union all
    select
        'visit' as table_name,
        delivery_id,
        file,
        row_number,
        check_id,
        fate
    from staging.visit_set_aside
    union all
    select
        'measurement' as table_name,
        delivery_id,
        file,
        row_number,
        check_id,
        fate
    from staging.measurement_set_aside
    union all
    select
        'treatment' as table_name,
        delivery_id,
        file,
        row_number,
        check_id,
        fate
    from staging.treatment_set_aside
    union all
    select
        'adverse_event' as table_name,
        delivery_id,
        file,
        row_number,
        check_id,
        fate
    from staging.adverse_event_set_aside
    union all
    select
        'precaution' as table_name,
        delivery_id,
        file,
        row_number,
        check_id,
        fate
    from staging.precaution_set_aside
)

select
    table_name,
    delivery_id,
    file,
    row_number,
    check_id,
    fate
from set_aside
group by table_name, delivery_id, file, row_number, check_id, fate
