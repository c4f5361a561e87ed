-- Rows of visit that are not current because of what else was said under their key.
-- 1. A key that one delivery states twice with different content: all its rows are quarantined, whoever is right.
-- 2. Else the latest content counts (by extract stamp, then delivery id). The row that first said it, with nothing else
--    said since, is current; rows before it and rows that repeat it are superseded: a full extract sent every night
--    replaces only what changed.
-- 3. A quarantined latest version does not bring an older one back: the clinic withdrew that one.
-- 4. A withdrawal (staging.withdrawal) supersedes what its own and earlier deliveries said under the key.
-- Source: needlepoint contract, check visit.key.unique.
-- grain: delivery_id, file, row_number, visit_key
with accepted as (
    select
        visit_key,
        episode_key,
        day_offset,
        planned_day,
        visit_type,
        attendance,
        adverse_events_asked,
        calendar_day,
        recorded_minute,
        delivery_id,
        file,
        row_number
    from lake.visit
    where accepted
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
        delivery_id,
        extract_stamp
    from staging.withdrawal
    where table_name = 'visit'
),

doubtful_key as (
    select visit_key
    from accepted
    group by visit_key
    having count(*) > 1
    union
    select visit_key
    from withdrawal
),

compared as (
    select
        accepted.visit_key,
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
                accepted.visit_key
            order by
                accepted.episode_key,
                accepted.day_offset,
                accepted.planned_day,
                accepted.visit_type,
                accepted.attendance,
                accepted.adverse_events_asked,
                accepted.calendar_day,
                accepted.recorded_minute
        ) as content_number
    from accepted
    inner join doubtful_key
        on accepted.visit_key = doubtful_key.visit_key
    inner join delivery on accepted.delivery_id = delivery.delivery_id
    left join withdrawal
        on accepted.visit_key = withdrawal.visit_key
),

versions as (
    select
        *,
        min(content_number) over (partition by visit_key, delivery_id)
        <> max(content_number) over (partition by visit_key, delivery_id) as is_contradicted,
        row_number() over (
            partition by visit_key
            order by extract_stamp, delivery_id, file, row_number
        ) as place
    from compared
    where not is_withdrawn
),

followed as (
    select
        *,
        lag(content_number) over (partition by visit_key order by place) as content_before,
        lag(is_contradicted) over (partition by visit_key order by place) as contradicted_before
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
        ) over (partition by visit_key) as last_said
    from followed
)

select
    delivery_id,
    file,
    row_number,
    visit_key,
    'visit.key.unique' as check_id,
    case when is_contradicted then 'quarantined' else 'superseded' end as fate
from judged
where is_contradicted or place <> last_said
union all
select
    delivery_id,
    file,
    row_number,
    visit_key,
    'visit.key.withdrawn' as check_id,
    'superseded' as fate
from compared
where is_withdrawn
