-- Rows of episode that are not current because of what else was said under their key.
-- 1. A key that one delivery states twice with different content: all its rows are quarantined, whoever is right.
-- 2. Else the latest content counts (by extract stamp, then delivery id). The row that first said it, with nothing else
--    said since, is current; rows before it and rows that repeat it are superseded: a full extract sent every night
--    replaces only what changed.
-- 3. A quarantined latest version does not bring an older one back: the clinic withdrew that one.
-- 4. A withdrawal (staging.withdrawal) supersedes what its own and earlier deliveries said under the key.
-- Source: needlepoint contract, check episode.key.unique.
-- grain: delivery_id, file, row_number, episode_key
with accepted as (
    select
        episode_key,
        patient_key,
        clinic_key,
        therapist_key,
        condition_id,
        side,
        start_year,
        symptom_duration,
        surgery_count,
        comorbidity_count,
        fear_avoidance,
        prior_episode,
        payer,
        discharge_day,
        discharge_reason,
        discharge_calendar_day,
        arm,
        delivery_id,
        file,
        row_number
    from lake.episode
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
        key_1 as episode_key,
        delivery_id,
        extract_stamp
    from staging.withdrawal
    where table_name = 'episode'
),

doubtful_key as (
    select episode_key
    from accepted
    group by episode_key
    having count(*) > 1
    union
    select episode_key
    from withdrawal
),

compared as (
    select
        accepted.episode_key,
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
                accepted.episode_key
            order by
                accepted.patient_key,
                accepted.clinic_key,
                accepted.therapist_key,
                accepted.condition_id,
                accepted.side,
                accepted.start_year,
                accepted.symptom_duration,
                accepted.surgery_count,
                accepted.comorbidity_count,
                accepted.fear_avoidance,
                accepted.prior_episode,
                accepted.payer,
                accepted.discharge_day,
                accepted.discharge_reason,
                accepted.discharge_calendar_day,
                accepted.arm
        ) as content_number
    from accepted
    inner join doubtful_key
        on accepted.episode_key = doubtful_key.episode_key
    inner join delivery on accepted.delivery_id = delivery.delivery_id
    left join withdrawal
        on accepted.episode_key = withdrawal.episode_key
),

versions as (
    select
        *,
        min(content_number) over (partition by episode_key, delivery_id)
        <> max(content_number) over (partition by episode_key, delivery_id) as is_contradicted,
        row_number() over (
            partition by episode_key
            order by extract_stamp, delivery_id, file, row_number
        ) as place
    from compared
    where not is_withdrawn
),

followed as (
    select
        *,
        lag(content_number) over (partition by episode_key order by place) as content_before,
        lag(is_contradicted) over (partition by episode_key order by place) as contradicted_before
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
        ) over (partition by episode_key) as last_said
    from followed
)

select
    delivery_id,
    file,
    row_number,
    episode_key,
    'episode.key.unique' as check_id,
    case when is_contradicted then 'quarantined' else 'superseded' end as fate
from judged
where is_contradicted or place <> last_said
union all
select
    delivery_id,
    file,
    row_number,
    episode_key,
    'episode.key.withdrawn' as check_id,
    'superseded' as fate
from compared
where is_withdrawn
