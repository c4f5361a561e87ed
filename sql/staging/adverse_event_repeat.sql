-- Rows of adverse_event that are not current because of what else was said under their key.
-- 1. A key that one delivery states twice with different content: all its rows are quarantined, whoever is right.
-- 2. Else the latest content counts (by extract stamp, then delivery id). The row that first said it, with nothing else
--    said since, is current; rows before it and rows that repeat it are superseded: a full extract sent every night
--    replaces only what changed.
-- 3. A quarantined latest version does not bring an older one back: the clinic withdrew that one.
-- 4. A withdrawal (staging.withdrawal) supersedes what its own and earlier deliveries said under the key.
-- 5. Only keys that occur more than once, or are withdrawn, are looked at.
--    Each row is compared with the one before it in one pass: after a full extract every key is looked at.
-- Source: needlepoint contract, check adverse_event.key.unique.
-- grain: delivery_id, file, row_number, visit_key, event_type
with withdrawal as (
    select
        key_1 as visit_key,
        key_2 as event_type,
        delivery_id,
        extract_stamp
    from staging.withdrawal
    where table_name = 'adverse_event'
),

delivery as (
    select
        delivery_id,
        extract_stamp
    from lake.delivery
),

doubtful_key as (
    select
        visit_key,
        event_type
    from lake.adverse_event
    where accepted
    group by visit_key, event_type
    having count(*) > 1
    union
    select
        visit_key,
        event_type
    from withdrawal
),

stated as (
    select
        adverse_event.visit_key,
        adverse_event.event_type,
        concat_ws(
            '|',
            coalesce(adverse_event.severity, ''),
            coalesce(cast(adverse_event.duration_hours as varchar), ''),
            coalesce(adverse_event.resolved, ''),
            coalesce(adverse_event.related, '')
        ) as told,
        adverse_event.delivery_id,
        adverse_event.file,
        adverse_event.row_number,
        delivery.extract_stamp
    from lake.adverse_event
    inner join doubtful_key
        on
            adverse_event.visit_key = doubtful_key.visit_key
            and adverse_event.event_type = doubtful_key.event_type
    inner join delivery on adverse_event.delivery_id = delivery.delivery_id
    where adverse_event.accepted
),

withdrawn as (
    select
        stated.visit_key,
        stated.event_type,
        stated.delivery_id,
        stated.file,
        stated.row_number
    from stated
    inner join withdrawal
        on
            stated.visit_key = withdrawal.visit_key
            and stated.event_type = withdrawal.event_type
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
            and stated.event_type = withdrawn.event_type
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
        partition by visit_key, event_type
        order by extract_stamp, delivery_id, file, row_number
    )
),

contradiction as (
    select distinct
        visit_key,
        event_type,
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
            and placed.event_type = contradiction.event_type
            and placed.delivery_id = contradiction.delivery_id
    left join contradiction as contradiction_before
        on
            placed.visit_key = contradiction_before.visit_key
            and placed.event_type = contradiction_before.event_type
            and placed.delivery_before = contradiction_before.delivery_id
),

said_later as (
    select
        visit_key,
        event_type,
        max(place) as place
    from judged
    where place > 1 and is_said_anew
    group by visit_key, event_type
)

select
    judged.delivery_id,
    judged.file,
    judged.row_number,
    judged.visit_key,
    judged.event_type,
    'adverse_event.key.unique' as check_id,
    case when judged.is_contradicted then 'quarantined' else 'superseded' end as fate
from judged
left join said_later
    on
        judged.visit_key = said_later.visit_key
        and judged.event_type = said_later.event_type
where judged.is_contradicted or judged.place <> coalesce(said_later.place, 1)
union all
select
    delivery_id,
    file,
    row_number,
    visit_key,
    event_type,
    'adverse_event.key.withdrawn' as check_id,
    'superseded' as fate
from withdrawn
