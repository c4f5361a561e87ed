-- Rows of episode that are not current because of what else was said under their key.
-- 1. A key that one delivery states twice with different content: all its rows are quarantined, whoever is right.
-- 2. Else the latest content counts (by extract stamp, then delivery id). The row that first said it, with nothing else
--    said since, is current; rows before it and rows that repeat it are superseded: a full extract sent every night
--    replaces only what changed.
-- 3. A quarantined latest version does not bring an older one back: the clinic withdrew that one.
-- 4. A withdrawal (staging.withdrawal) supersedes what its own and earlier deliveries said under the key.
-- 5. Only keys that occur more than once, or are withdrawn, are looked at.
--    Each row is compared with the one before it in one pass: after a full extract every key is looked at.
-- Source: needlepoint contract, check episode.key.unique.
-- grain: delivery_id, file, row_number, episode_key
with withdrawal as (
    select
        key_1 as episode_key,
        delivery_id,
        extract_stamp
    from staging.withdrawal
    where table_name = 'episode'
),

delivery as (
    select
        delivery_id,
        extract_stamp
    from lake.delivery
),

doubtful_key as (
    select episode_key
    from lake.episode
    where accepted
    group by episode_key
    having count(*) > 1
    union
    select episode_key
    from withdrawal
),

stated as (
    select
        episode.episode_key,
        concat_ws(
            '|',
            coalesce(episode.patient_key, ''),
            coalesce(episode.clinic_key, ''),
            coalesce(episode.therapist_key, ''),
            coalesce(episode.condition_id, ''),
            coalesce(episode.side, ''),
            coalesce(cast(episode.start_year as varchar), ''),
            coalesce(episode.symptom_duration, ''),
            coalesce(cast(episode.surgery_count as varchar), ''),
            coalesce(cast(episode.comorbidity_count as varchar), ''),
            coalesce(episode.fear_avoidance, ''),
            coalesce(episode.prior_episode, ''),
            coalesce(episode.payer, ''),
            coalesce(cast(episode.discharge_day as varchar), ''),
            coalesce(episode.discharge_reason, ''),
            coalesce(cast(episode.discharge_calendar_day as varchar), ''),
            coalesce(episode.arm, '')
        ) as told,
        episode.delivery_id,
        episode.file,
        episode.row_number,
        delivery.extract_stamp
    from lake.episode
    inner join doubtful_key
        on episode.episode_key = doubtful_key.episode_key
    inner join delivery on episode.delivery_id = delivery.delivery_id
    where episode.accepted
),

withdrawn as (
    select
        stated.episode_key,
        stated.delivery_id,
        stated.file,
        stated.row_number
    from stated
    inner join withdrawal
        on stated.episode_key = withdrawal.episode_key
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
            and stated.episode_key = withdrawn.episode_key
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
        partition by episode_key
        order by extract_stamp, delivery_id, file, row_number
    )
),

contradiction as (
    select distinct
        episode_key,
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
            placed.episode_key = contradiction.episode_key
            and placed.delivery_id = contradiction.delivery_id
    left join contradiction as contradiction_before
        on
            placed.episode_key = contradiction_before.episode_key
            and placed.delivery_before = contradiction_before.delivery_id
),

said_later as (
    select
        episode_key,
        max(place) as place
    from judged
    where place > 1 and is_said_anew
    group by episode_key
)

select
    judged.delivery_id,
    judged.file,
    judged.row_number,
    judged.episode_key,
    'episode.key.unique' as check_id,
    case when judged.is_contradicted then 'quarantined' else 'superseded' end as fate
from judged
left join said_later
    on judged.episode_key = said_later.episode_key
where judged.is_contradicted or judged.place <> coalesce(said_later.place, 1)
union all
select
    delivery_id,
    file,
    row_number,
    episode_key,
    'episode.key.withdrawn' as check_id,
    'superseded' as fate
from withdrawn
