-- Waivers of holds: somebody decided that a blocking check holds nothing back for a time.
-- 1. It is of one delivery, or of all of them and of the release (delivery_id 'all').
-- 2. It is in force up to and including the day it ends. Days are compared with the latest extract stamp of the
--    accepted deliveries, as in audit.quarantine_waiver. The gate is stricter: there the day of landing counts too.
-- 3. Of several waivers the one that ends last counts.
-- grain: check_id, delivery_id
with waiver as (
    select
        check_id,
        coalesce(delivery_id, 'all') as delivery_id,
        max(ends_on) as ends_on
    from lake.waiver
    where lifts = 'hold'
    group by check_id, coalesce(delivery_id, 'all')
),

today as (
    select substr(coalesce(max(extract_stamp), ''), 1, 10) as latest_day
    from lake.delivery
    where state = 'accepted'
)

select
    waiver.check_id,
    waiver.delivery_id,
    waiver.ends_on,
    waiver.ends_on >= today.latest_day as is_in_force
from waiver
cross join today
