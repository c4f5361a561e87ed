-- Rows of precaution that are not current because of what else was said under their key.
-- 1. A key that one delivery states twice with different content: all its rows are quarantined, whoever is right.
-- 2. Else the latest content counts (by extract stamp, then delivery id). The row that first said it, with nothing else
--    said since, is current; rows before it and rows that repeat it are superseded: a full extract sent every night
--    replaces only what changed.
-- 3. A quarantined latest version does not bring an older one back: the clinic withdrew that one.
-- 4. A withdrawal (staging.withdrawal) supersedes what its own and earlier deliveries said under the key.
-- Source: needlepoint contract, check precaution.key.unique.
-- grain: delivery_id, file, row_number, patient_key, precaution_type
with accepted as (
    select
        patient_key,
        precaution_type,
        present,
        delivery_id,
        file,
        row_number
    from lake.precaution
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
        key_1 as patient_key,
        key_2 as precaution_type,
        delivery_id,
        extract_stamp
    from staging.withdrawal
    where table_name = 'precaution'
),

doubtful_key as (
    select
        patient_key,
        precaution_type
    from accepted
    group by patient_key, precaution_type
    having count(*) > 1
    union
    select
        patient_key,
        precaution_type
    from withdrawal
),

compared as (
    select
        accepted.patient_key,
        accepted.precaution_type,
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
                accepted.patient_key,
                accepted.precaution_type
            order by
                accepted.present
        ) as content_number
    from accepted
    inner join doubtful_key
        on
            accepted.patient_key = doubtful_key.patient_key
            and accepted.precaution_type = doubtful_key.precaution_type
    inner join delivery on accepted.delivery_id = delivery.delivery_id
    left join withdrawal
        on
            accepted.patient_key = withdrawal.patient_key
            and accepted.precaution_type = withdrawal.precaution_type
),

versions as (
    select
        *,
        min(content_number) over (partition by patient_key, precaution_type, delivery_id)
        <> max(content_number) over (partition by patient_key, precaution_type, delivery_id) as is_contradicted,
        row_number() over (
            partition by patient_key, precaution_type
            order by extract_stamp, delivery_id, file, row_number
        ) as place
    from compared
    where not is_withdrawn
),

followed as (
    select
        *,
        lag(content_number) over (partition by patient_key, precaution_type order by place) as content_before,
        lag(is_contradicted) over (partition by patient_key, precaution_type order by place) as contradicted_before
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
        ) over (partition by patient_key, precaution_type) as last_said
    from followed
)

select
    delivery_id,
    file,
    row_number,
    patient_key,
    precaution_type,
    'precaution.key.unique' as check_id,
    case when is_contradicted then 'quarantined' else 'superseded' end as fate
from judged
where is_contradicted or place <> last_said
union all
select
    delivery_id,
    file,
    row_number,
    patient_key,
    precaution_type,
    'precaution.key.withdrawn' as check_id,
    'superseded' as fate
from compared
where is_withdrawn
