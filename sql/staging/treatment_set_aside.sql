-- Rows of treatment that were accepted on reading but are not current.
-- 1. Repeated keys (staging.treatment_repeat).
-- 2. Visits that are missing, or set aside themselves: their treatments are quarantined.
-- 3. Sham treatment outside a trial (an episode without an arm): no clinic gives it, so the row is wrong.
-- Source: needlepoint contract, checks treatment.key.unique, treatment.visit_key.reference and
-- treatment.treatment_class.sham_in_trials_only.
-- grain: delivery_id, file, row_number, visit_key, treatment_class
with accepted as (
    select
        delivery_id,
        file,
        row_number,
        visit_key,
        treatment_class
    from lake.treatment
    where accepted
),

repeat as (
    select
        delivery_id,
        file,
        row_number,
        visit_key,
        treatment_class,
        check_id,
        fate
    from staging.treatment_repeat
),

visit as (
    select
        visit_key,
        episode_key
    from staging.visit
),

routine_episode as (
    select episode_key
    from staging.episode
    where arm is null
),

orphan as (
    select
        accepted.delivery_id,
        accepted.file,
        accepted.row_number,
        accepted.visit_key,
        accepted.treatment_class,
        'treatment.visit_key.reference' as check_id
    from accepted
    left join visit on accepted.visit_key = visit.visit_key
    where visit.visit_key is null
),

sham as (
    select
        accepted.delivery_id,
        accepted.file,
        accepted.row_number,
        accepted.visit_key,
        accepted.treatment_class,
        'treatment.treatment_class.sham_in_trials_only' as check_id
    from accepted
    inner join visit on accepted.visit_key = visit.visit_key
    inner join routine_episode on visit.episode_key = routine_episode.episode_key
    where accepted.treatment_class = 'sham'
),

judged as (
    select * from orphan
    union all
    select * from sham
)

select
    delivery_id,
    file,
    row_number,
    visit_key,
    treatment_class,
    check_id,
    fate
from repeat
union all
select
    judged.delivery_id,
    judged.file,
    judged.row_number,
    judged.visit_key,
    judged.treatment_class,
    judged.check_id,
    'quarantined' as fate
from judged
left join repeat
    on
        judged.delivery_id = repeat.delivery_id
        and judged.file = repeat.file
        and judged.row_number = repeat.row_number
        and judged.visit_key = repeat.visit_key
        and judged.treatment_class = repeat.treatment_class
where repeat.row_number is null
