-- Rows of precaution that are not current because of what else was said under their key.
-- 1. A key that one delivery states twice with different content: all its rows are quarantined, whoever is right.
-- 2. Else the latest content counts (by extract stamp, then delivery id). The row that first said it, with nothing else
--    said since, is current; rows before it and rows that repeat it are superseded: a full extract sent every night
--    replaces only what changed.
-- 3. A quarantined latest version does not bring an older one back: the clinic withdrew that one.
-- 4. A withdrawal (staging.withdrawal) supersedes what its own and earlier deliveries said under the key.
-- 5. Only keys that occur more than once, or are withdrawn, are looked at.
--    Each row is compared with the one before it in one pass: after a full extract every key is looked at.
-- Source: needlepoint contract, check precaution.key.unique.
-- grain: delivery_id, file, row_number, patient_key, precaution_type
with withdrawal as (
    select
        key_1 as patient_key,
        key_2 as precaution_type,
        delivery_id,
        extract_stamp
    from staging.withdrawal
    where table_name = 'precaution'
),

delivery as (
    select
        delivery_id,
        extract_stamp
    from lake.delivery
),

doubtful_key as (
    select
        patient_key,
        precaution_type
    from lake.precaution
    where accepted
    group by patient_key, precaution_type
    having count(*) > 1
    union
    select
        patient_key,
        precaution_type
    from withdrawal
),

stated as (
    select
        precaution.patient_key,
        precaution.precaution_type,
        concat_ws(
            '|',
            coalesce(precaution.present, '')
        ) as told,
        precaution.delivery_id,
        precaution.file,
        precaution.row_number,
        delivery.extract_stamp
    from lake.precaution
    inner join doubtful_key
        on
            precaution.patient_key = doubtful_key.patient_key
            and precaution.precaution_type = doubtful_key.precaution_type
    inner join delivery on precaution.delivery_id = delivery.delivery_id
    where precaution.accepted
),

withdrawn as (
    select
        stated.patient_key,
        stated.precaution_type,
        stated.delivery_id,
        stated.file,
        stated.row_number
    from stated
    inner join withdrawal
        on
            stated.patient_key = withdrawal.patient_key
            and stated.precaution_type = withdrawal.precaution_type
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
            and stated.patient_key = withdrawn.patient_key
            and stated.precaution_type = withdrawn.precaution_type
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
        partition by patient_key, precaution_type
        order by extract_stamp, delivery_id, file, row_number
    )
),

contradiction as (
    select distinct
        patient_key,
        precaution_type,
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
            placed.patient_key = contradiction.patient_key
            and placed.precaution_type = contradiction.precaution_type
            and placed.delivery_id = contradiction.delivery_id
    left join contradiction as contradiction_before
        on
            placed.patient_key = contradiction_before.patient_key
            and placed.precaution_type = contradiction_before.precaution_type
            and placed.delivery_before = contradiction_before.delivery_id
),

said_later as (
    select
        patient_key,
        precaution_type,
        max(place) as place
    from judged
    where place > 1 and is_said_anew
    group by patient_key, precaution_type
)

select
    judged.delivery_id,
    judged.file,
    judged.row_number,
    judged.patient_key,
    judged.precaution_type,
    'precaution.key.unique' as check_id,
    case when judged.is_contradicted then 'quarantined' else 'superseded' end as fate
from judged
left join said_later
    on
        judged.patient_key = said_later.patient_key
        and judged.precaution_type = said_later.precaution_type
where judged.is_contradicted or judged.place <> coalesce(said_later.place, 1)
union all
select
    delivery_id,
    file,
    row_number,
    patient_key,
    precaution_type,
    'precaution.key.withdrawn' as check_id,
    'superseded' as fate
from withdrawn
