-- Every row set aside, once for each check it violates.
-- 1. On reading (lake.violation): rules of one row. By the models (audit.row_set_aside): rules between rows.
-- 2. Rows of rejected deliveries are not here: they were never taken apart.
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

quality_check as (
    select
        check_id,
        reason
    from reference.quality_check
),

found as (
    select * from violation
    union
    select * from set_aside
)

select
    found.delivery_id,
    found.file,
    found.row_number,
    found.table_name,
    found.check_id,
    coalesce(quality_check.reason, 'UNREADABLE') as reason,
    'quarantined' as status
from found
left join quality_check on found.check_id = quality_check.check_id
