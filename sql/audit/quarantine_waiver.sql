-- Waivers that cover an entry of the quarantine: somebody decided that a row need not be corrected.
-- 1. A waiver names a check, and may be narrowed to a delivery, a file and a row. One that lifts a hold says nothing
--    about rows.
-- 2. It is in force up to and including the day it ends. Days are compared with the latest extract stamp of the
--    accepted deliveries and never with today, so that the same deliveries give the same tables. Without stamps none
--    ends.
-- 3. Of several waivers the one that ends last counts.
-- grain: delivery_id, file, row_number, table_name, check_id
with finding as (
    select
        delivery_id,
        file,
        row_number,
        table_name,
        check_id
    from audit.quarantine_finding
    where is_current
),

waiver as (
    select
        check_id,
        delivery_id,
        file,
        row_number,
        ends_on
    from lake.waiver
    where lifts = 'to_do'
),

today as (
    select substr(coalesce(max(extract_stamp), ''), 1, 10) as latest_day
    from lake.delivery
    where state = 'accepted'
),

covering as (
    select
        finding.delivery_id,
        finding.file,
        finding.row_number,
        finding.table_name,
        finding.check_id,
        max(waiver.ends_on) as ends_on
    from finding
    inner join waiver on finding.check_id = waiver.check_id
    where
        coalesce(waiver.delivery_id, finding.delivery_id) = finding.delivery_id
        and coalesce(waiver.file, finding.file) = finding.file
        and coalesce(waiver.row_number, finding.row_number) = finding.row_number
    group by finding.delivery_id, finding.file, finding.row_number, finding.table_name, finding.check_id
)

select
    covering.delivery_id,
    covering.file,
    covering.row_number,
    covering.table_name,
    covering.check_id,
    covering.ends_on,
    covering.ends_on >= today.latest_day as is_in_force
from covering
cross join today
