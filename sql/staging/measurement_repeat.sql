-- Rows of measurement that are not current because of what else was said under their key.
-- 1. A key that one delivery states twice with different content: all its rows are quarantined, whoever is right.
-- 2. Else the latest content counts (by extract stamp, then delivery id). The row that first said it, with nothing else
--    said since, is current; rows before it and rows that repeat it are superseded: a full extract sent every night
--    replaces only what changed.
-- 3. A quarantined latest version does not bring an older one back: the clinic withdrew that one.
-- 4. A withdrawal (staging.withdrawal) supersedes what its own and earlier deliveries said under the key.
-- 5. Only visits in doubt (staging.visit_in_doubt) are looked at. A way of measuring that was not stated is ''.
-- Source: needlepoint contract, check measurement.key.unique.
-- grain: delivery_id, file, row_number, visit_key, measure_id, side, active_passive, method
with in_doubt as (
    select visit_key
    from staging.visit_in_doubt
    where is_repeated
),

accepted as (
    select
        measurement.visit_key,
        measurement.measure_id,
        measurement.side,
        coalesce(measurement.active_passive, '') as active_passive,
        coalesce(measurement.method, '') as method,
        measurement.rater_key,
        measurement.value,
        measurement.unit,
        measurement.delivery_id,
        measurement.file,
        measurement.row_number
    from lake.measurement
    inner join in_doubt on measurement.visit_key = in_doubt.visit_key
    where measurement.accepted
),

delivery as (
    select
        delivery_id,
        extract_stamp
    from lake.delivery
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

doubtful_key as (
    select
        visit_key,
        measure_id,
        side,
        active_passive,
        method
    from accepted
    group by visit_key, measure_id, side, active_passive, method
    having count(*) > 1
    union
    select
        visit_key,
        measure_id,
        side,
        active_passive,
        method
    from withdrawal
),

compared as (
    select
        accepted.visit_key,
        accepted.measure_id,
        accepted.side,
        accepted.active_passive,
        accepted.method,
        accepted.delivery_id,
        accepted.file,
        accepted.row_number,
        delivery.extract_stamp,
        coalesce(
            withdrawal.extract_stamp > delivery.extract_stamp
            or (withdrawal.extract_stamp = delivery.extract_stamp and withdrawal.delivery_id >= accepted.delivery_id),
            false
        ) as is_withdrawn,
        dense_rank() over (
            partition by
                accepted.visit_key,
                accepted.measure_id,
                accepted.side,
                accepted.active_passive,
                accepted.method
            order by
                accepted.rater_key,
                accepted.value,
                accepted.unit
        ) as content_number
    from accepted
    inner join doubtful_key
        on
            accepted.visit_key = doubtful_key.visit_key
            and accepted.measure_id = doubtful_key.measure_id
            and accepted.side = doubtful_key.side
            and accepted.active_passive = doubtful_key.active_passive
            and accepted.method = doubtful_key.method
    inner join delivery on accepted.delivery_id = delivery.delivery_id
    left join withdrawal
        on
            accepted.visit_key = withdrawal.visit_key
            and accepted.measure_id = withdrawal.measure_id
            and accepted.side = withdrawal.side
            and accepted.active_passive = withdrawal.active_passive
            and accepted.method = withdrawal.method
),

versions as (
    select
        *,
        min(content_number) over (partition by visit_key, measure_id, side, active_passive, method, delivery_id)
        <> max(content_number) over (
            partition by visit_key, measure_id, side, active_passive, method, delivery_id
        ) as is_contradicted,
        row_number() over (
            partition by visit_key, measure_id, side, active_passive, method
            order by extract_stamp, delivery_id, file, row_number
        ) as place
    from compared
    where not is_withdrawn
),

followed as (
    select
        *,
        lag(content_number) over (
            partition by visit_key, measure_id, side, active_passive, method order by place
        ) as content_before,
        lag(is_contradicted) over (
            partition by visit_key, measure_id, side, active_passive, method order by place
        ) as contradicted_before
    from versions
),

judged as (
    select
        *,
        max(
            case
                when
                    is_contradicted
                    or coalesce(contradicted_before, true)
                    or content_before <> content_number
                    then place
            end
        ) over (partition by visit_key, measure_id, side, active_passive, method) as last_said
    from followed
)

select
    delivery_id,
    file,
    row_number,
    visit_key,
    measure_id,
    side,
    active_passive,
    method,
    'measurement.key.unique' as check_id,
    case when is_contradicted then 'quarantined' else 'superseded' end as fate
from judged
where is_contradicted or place <> last_said
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
from compared
where is_withdrawn
