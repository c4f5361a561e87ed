-- Rows of treatment that were accepted on reading but are not current.
-- 1. Repeated keys (staging.treatment_repeat).
-- 2. Visits that are missing, or set aside themselves: their treatments are quarantined.
-- 3. Rows of a visit that was taken back are superseded with it.
-- 4. Sham treatment outside a trial (an episode without an arm): no clinic gives it, so the row is wrong.
-- Source: needlepoint contract, checks treatment.key.unique, treatment.visit_key.reference and
-- treatment.treatment_class.sham_in_trials_only.
-- grain: delivery_id, file, row_number, visit_key, treatment_class
with orphan_visit as (
    select visit_key
    from staging.treatment_in_doubt
    where is_orphan
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
        treatment.delivery_id,
        treatment.file,
        treatment.row_number,
        treatment.visit_key,
        treatment.treatment_class,
        case
            when withdrawn_visit.visit_key is null then 'treatment.visit_key.reference'
            else 'treatment.key.withdrawn'
        end as check_id,
        case when withdrawn_visit.visit_key is null then 'quarantined' else 'superseded' end as fate
    from lake.treatment
    inner join orphan_visit on treatment.visit_key = orphan_visit.visit_key
    left join staging.withdrawn_visit on treatment.visit_key = withdrawn_visit.visit_key
    where treatment.accepted
),

sham as (
    select
        treatment.delivery_id,
        treatment.file,
        treatment.row_number,
        treatment.visit_key,
        treatment.treatment_class,
        'treatment.treatment_class.sham_in_trials_only' as check_id,
        'quarantined' as fate
    from lake.treatment
    inner join visit on treatment.visit_key = visit.visit_key
    inner join routine_episode on visit.episode_key = routine_episode.episode_key
    where treatment.accepted and treatment.treatment_class = 'sham'
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
    judged.fate
from judged
left join repeat
    on
        judged.delivery_id = repeat.delivery_id
        and judged.file = repeat.file
        and judged.row_number = repeat.row_number
        and judged.visit_key = repeat.visit_key
        and judged.treatment_class = repeat.treatment_class
where repeat.row_number is null
