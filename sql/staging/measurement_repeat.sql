-- Rows of measurement that are not current because of what else was said under their key.
-- 1. A key that one delivery states twice with different content: all its rows are quarantined, whoever is right.
-- 2. Else the latest content counts (by extract stamp, then delivery id). The row that first said it, with nothing else
--    said since, is current; rows before it and rows that repeat it are superseded: a full extract sent every night
--    replaces only what changed.
-- 3. A quarantined latest version does not bring an older one back: the clinic withdrew that one.
-- 4. A withdrawal (staging.withdrawal) supersedes what its own and earlier deliveries said under the key.
-- 5. Only visits in doubt (staging.visit_in_doubt) are looked at. A way of measuring that was not stated is ''.
--    Each row is compared with the one before it in one pass: after a full extract every key is looked at.
-- Source: needlepoint contract, check measurement.key.unique.
-- grain: delivery_id, file, row_number, visit_key, measure_id, side, active_passive, method
with in_doubt as (
    select visit_key
    from staging.visit_in_doubt
    where is_repeated
),

withdrawal as (
    select
        key_1 as visit_key,
        key_2 as measure_id,
        key_3 as side,
        key_4 as active_passive,
        key_5 as method,
        delivery_id,
        extract_stamp
    from staging.withdrawal
    where table_name = 'measurement'
),

delivery as (
    select
        delivery_id,
        extract_stamp
    from lake.delivery
),

stated as (
    select
        measurement.visit_key,
        measurement.measure_id,
        measurement.side,
        coalesce(measurement.active_passive, '') as active_passive,
        coalesce(measurement.method, '') as method,
        concat_ws(
            '|',
            coalesce(measurement.rater_key, ''),
            coalesce(cast(measurement.value as varchar), ''),
            coalesce(measurement.unit, '')
        ) as told,
        measurement.delivery_id,
        measurement.file,
        measurement.row_number,
        delivery.extract_stamp
    from lake.measurement
    inner join in_doubt on measurement.visit_key = in_doubt.visit_key
    inner join delivery on measurement.delivery_id = delivery.delivery_id
    where measurement.accepted
),

withdrawn as (
    select
        stated.visit_key,
        stated.measure_id,
        stated.side,
        stated.active_passive,
        stated.method,
        stated.delivery_id,
        stated.file,
        stated.row_number
    from stated
    inner join withdrawal
        on
            stated.visit_key = withdrawal.visit_key
            and stated.measure_id = withdrawal.measure_id
            and stated.side = withdrawal.side
            and stated.active_passive = withdrawal.active_passive
            and stated.method = withdrawal.method
    where
        withdrawal.extract_stamp > stated.extract_stamp
        or (withdrawal.extract_stamp = stated.extract_stamp and withdrawal.delivery_id >= stated.delivery_id)
),

standing as (
    select stated.*
    from stated
    left join withdrawn
        on
            stated.delivery_id = withdrawn.delivery_id
            and stated.file = withdrawn.file
            and stated.row_number = withdrawn.row_number
            and stated.visit_key = withdrawn.visit_key
            and stated.measure_id = withdrawn.measure_id
            and stated.side = withdrawn.side
            and stated.active_passive = withdrawn.active_passive
            and stated.method = withdrawn.method
    where withdrawn.row_number is null
),

placed as (
    select
        *,
        row_number() over said as place,
        lag(told) over said as told_before,
        lag(delivery_id) over said as delivery_before
    from standing
    window said as (
        partition by visit_key, measure_id, side, active_passive, method
        order by extract_stamp, delivery_id, file, row_number
    )
),

contradiction as (
    select distinct
        visit_key,
        measure_id,
        side,
        active_passive,
        method,
        delivery_id
    from placed
    where delivery_before = delivery_id and told_before <> told
),

judged as (
    select
        placed.*,
        contradiction.delivery_id is not null as is_contradicted,
        contradiction.delivery_id is not null
        or placed.told_before <> placed.told
        or contradiction_before.delivery_id is not null as is_said_anew
    from placed
    left join contradiction
        on
            placed.visit_key = contradiction.visit_key
            and placed.measure_id = contradiction.measure_id
            and placed.side = contradiction.side
            and placed.active_passive = contradiction.active_passive
            and placed.method = contradiction.method
            and placed.delivery_id = contradiction.delivery_id
    left join contradiction as contradiction_before
        on
            placed.visit_key = contradiction_before.visit_key
            and placed.measure_id = contradiction_before.measure_id
            and placed.side = contradiction_before.side
            and placed.active_passive = contradiction_before.active_passive
            and placed.method = contradiction_before.method
            and placed.delivery_before = contradiction_before.delivery_id
),

said_later as (
    select
        visit_key,
        measure_id,
        side,
        active_passive,
        method,
        max(place) as place
    from judged
    where place > 1 and is_said_anew
    group by visit_key, measure_id, side, active_passive, method
)

select
    judged.delivery_id,
    judged.file,
    judged.row_number,
    judged.visit_key,
    judged.measure_id,
    judged.side,
    judged.active_passive,
    judged.method,
    'measurement.key.unique' as check_id,
    case when judged.is_contradicted then 'quarantined' else 'superseded' end as fate
from judged
left join said_later
    on
        judged.visit_key = said_later.visit_key
        and judged.measure_id = said_later.measure_id
        and judged.side = said_later.side
        and judged.active_passive = said_later.active_passive
        and judged.method = said_later.method
where judged.is_contradicted or judged.place <> coalesce(said_later.place, 1)
union all
select
    delivery_id,
    file,
    row_number,
    visit_key,
    measure_id,
    side,
    active_passive,
    method,
    'measurement.key.withdrawn' as check_id,
    'superseded' as fate
from withdrawn
