-- Rows of visit that are not current because of what else was said under their key.
-- 1. A key that one delivery states twice with different content: all its rows are quarantined, whoever is right.
-- 2. Else the latest content counts (by extract stamp, then delivery id). The row that first said it, with nothing else
--    said since, is current; rows before it and rows that repeat it are superseded: a full extract sent every night
--    replaces only what changed.
-- 3. A quarantined latest version does not bring an older one back: the clinic withdrew that one.
-- 4. A withdrawal (staging.withdrawal) supersedes what its own and earlier deliveries said under the key.
-- 5. Only keys that occur more than once, or are withdrawn, are looked at.
--    Each row is compared with the one before it in one pass: after a full extract every key is looked at.
-- Source: needlepoint contract, check visit.key.unique.
-- grain: delivery_id, file, row_number, visit_key
with withdrawal as (
    select
        key_1 as visit_key,
        delivery_id,
        extract_stamp
    from staging.withdrawal
    where table_name = 'visit'
),

delivery as (
    select
        delivery_id,
        extract_stamp
    from lake.delivery
),

doubtful_key as (
    select visit_key
    from lake.visit
    where accepted
    group by visit_key
    having count(*) > 1
    union
    select visit_key
    from withdrawal
),

stated as (
    select
        visit.visit_key,
        concat_ws(
            '|',
            coalesce(visit.episode_key, ''),
            coalesce(cast(visit.day_offset as varchar), ''),
            coalesce(cast(visit.planned_day as varchar), ''),
            coalesce(visit.visit_type, ''),
            coalesce(visit.attendance, ''),
            coalesce(visit.adverse_events_asked, ''),
            coalesce(cast(visit.calendar_day as varchar), ''),
            coalesce(cast(visit.recorded_minute as varchar), '')
        ) as told,
        visit.delivery_id,
        visit.file,
        visit.row_number,
        delivery.extract_stamp
    from lake.visit
    inner join doubtful_key
        on visit.visit_key = doubtful_key.visit_key
    inner join delivery on visit.delivery_id = delivery.delivery_id
    where visit.accepted
),

withdrawn as (
    select
        stated.visit_key,
        stated.delivery_id,
        stated.file,
        stated.row_number
    from stated
    inner join withdrawal
        on stated.visit_key = withdrawal.visit_key
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
        partition by visit_key
        order by extract_stamp, delivery_id, file, row_number
    )
),

contradiction as (
    select distinct
        visit_key,
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
            and placed.delivery_id = contradiction.delivery_id
    left join contradiction as contradiction_before
        on
            placed.visit_key = contradiction_before.visit_key
            and placed.delivery_before = contradiction_before.delivery_id
),

said_later as (
    select
        visit_key,
        max(place) as place
    from judged
    where place > 1 and is_said_anew
    group by visit_key
)

select
    judged.delivery_id,
    judged.file,
    judged.row_number,
    judged.visit_key,
    'visit.key.unique' as check_id,
    case when judged.is_contradicted then 'quarantined' else 'superseded' end as fate
from judged
left join said_later
    on judged.visit_key = said_later.visit_key
where judged.is_contradicted or judged.place <> coalesce(said_later.place, 1)
union all
select
    delivery_id,
    file,
    row_number,
    visit_key,
    'visit.key.withdrawn' as check_id,
    'superseded' as fate
from withdrawn
