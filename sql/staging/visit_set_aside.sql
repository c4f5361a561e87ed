-- Rows of visit that were accepted on reading but are not current.
-- 1. Repeated keys (staging.visit_repeat).
-- 2. episodes that are missing, or set aside themselves: their rows are quarantined.
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
        accepted.visit_key
    from accepted
    left join episode on accepted.episode_key = episode.episode_key
    where episode.episode_key is null
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
    orphan.delivery_id,
    orphan.file,
    orphan.row_number,
    orphan.visit_key,
    'visit.episode_key.reference' as check_id,
    'quarantined' as fate
from orphan
left join repeat
    on
        orphan.delivery_id = repeat.delivery_id
        and orphan.file = repeat.file
        and orphan.row_number = repeat.row_number
        and orphan.visit_key = repeat.visit_key
where repeat.row_number is null
