-- Rows of visit that were accepted on reading but are not current.
-- 1. Repeated keys (staging.visit_repeat).
-- 2. episodes that are missing, or set aside themselves: their rows are quarantined.
-- 3. Rows of an episode that was taken back are superseded with it.
-- Source: needlepoint contract, checks visit.key.unique and visit.episode_key.reference.
-- grain: delivery_id, file, row_number, visit_key
with accepted as (
    select
        delivery_id,
        file,
        row_number,
        visit_key,
        episode_key
    from lake.visit
    where accepted
),

repeat as (
    select
        delivery_id,
        file,
        row_number,
        visit_key,
        check_id,
        fate
    from staging.visit_repeat
),

episode as (
    select episode_key
    from staging.episode
),

orphan as (
    select
        accepted.delivery_id,
        accepted.file,
        accepted.row_number,
        accepted.visit_key,
        accepted.episode_key
    from accepted
    left join episode on accepted.episode_key = episode.episode_key
    where episode.episode_key is null
),

judged as (
    select
        orphan.delivery_id,
        orphan.file,
        orphan.row_number,
        orphan.visit_key,
        case
            when withdrawn_episode.episode_key is null then 'visit.episode_key.reference'
            else 'visit.key.withdrawn'
        end as check_id,
        case when withdrawn_episode.episode_key is null then 'quarantined' else 'superseded' end as fate
    from orphan
    left join staging.withdrawn_episode on orphan.episode_key = withdrawn_episode.episode_key
)

select
    delivery_id,
    file,
    row_number,
    visit_key,
    check_id,
    fate
from repeat
union all
select
    judged.delivery_id,
    judged.file,
    judged.row_number,
    judged.visit_key,
    judged.check_id,
    judged.fate
from judged
left join repeat
    on
        judged.delivery_id = repeat.delivery_id
        and judged.file = repeat.file
        and judged.row_number = repeat.row_number
        and judged.visit_key = repeat.visit_key
where repeat.row_number is null
