-- Every finding that set a row aside: in the reading that counts, or in an earlier reading of the same delivery.
-- 1. On reading (lake.violation): rules of one row. By the models (audit.row_set_aside): rules between rows.
-- 2. Earlier readings of a delivery, under another profile or contract (lake.reading_history): a row set aside then and
--    no longer now was taken in by reading it again. Of a row that still is set aside only the present findings count.
-- 3. Rows of rejected deliveries are not here: they were never taken apart.
-- Source: needlepoint contract, checks.
-- grain: delivery_id, file, row_number, table_name, check_id
with violation as (
    select
        delivery_id,
        file,
        row_number,
        table_name,
        check_id
    from lake.violation
),

set_aside as (
    select
        delivery_id,
        file,
        row_number,
        table_name,
        check_id
    from audit.row_set_aside
    where fate = 'quarantined'
),

current_finding as (
    select * from violation
    union
    select * from set_aside
),

current_row as (
    select
        delivery_id,
        file,
        row_number
    from current_finding
    group by delivery_id, file, row_number
),

earlier_finding as (
    select
        delivery_id,
        file,
        row_number,
        table_name,
        check_id
    from lake.reading_history
    group by delivery_id, file, row_number, table_name, check_id
)

select
    delivery_id,
    file,
    row_number,
    table_name,
    check_id,
    true as is_current
from current_finding
union all
select
    earlier_finding.delivery_id,
    earlier_finding.file,
    earlier_finding.row_number,
    earlier_finding.table_name,
    earlier_finding.check_id,
    false as is_current
from earlier_finding
left join current_row
    on
        earlier_finding.delivery_id = current_row.delivery_id
        and earlier_finding.file = current_row.file
        and earlier_finding.row_number = current_row.row_number
where current_row.row_number is null
