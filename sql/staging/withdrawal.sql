-- Keys that were taken back, each with the latest delivery that did so (by extract stamp, then delivery id).
-- 1. A withdrawal takes back what its own and earlier deliveries said under the key, whenever they arrive; what a later
--    delivery says counts again.
-- 2. Parts of a key that were not stated, and those beyond the key of the table, are ''.
-- Source: needlepoint contract, keys of the tables.
-- grain: table_name, key_1, key_2, key_3, key_4, key_5
with withdrawal as (
    select
        table_name,
        key_1,
        key_2,
        key_3,
        key_4,
        key_5,
        delivery_id
    from lake.withdrawal
    where accepted
),

delivery as (
    select
        delivery_id,
        extract_stamp
    from lake.delivery
),

placed as (
    select
        withdrawal.table_name,
        withdrawal.key_1,
        withdrawal.key_2,
        withdrawal.key_3,
        withdrawal.key_4,
        withdrawal.key_5,
        withdrawal.delivery_id,
        delivery.extract_stamp,
        row_number() over (
            partition by
                withdrawal.table_name,
                withdrawal.key_1,
                withdrawal.key_2,
                withdrawal.key_3,
                withdrawal.key_4,
                withdrawal.key_5
            order by delivery.extract_stamp desc, withdrawal.delivery_id desc
        ) as place_back
    from withdrawal
    inner join delivery on withdrawal.delivery_id = delivery.delivery_id
)

select
    table_name,
    key_1,
    key_2,
    key_3,
    key_4,
    key_5,
    delivery_id,
    extract_stamp
from placed
where place_back = 1
