-- How many rows (episodes, groups, deliveries) each rule between rows and tables was evaluated on.
-- 1. Keys: rows accepted on reading. References: those that repeat no key.
-- 2. Discharge and sham rules: rows whose key and reference are in order, and that the rule speaks of.
-- 3. First visit: episodes with an attended visit. One measure at both ends: episodes with pain at both ends.
-- 4. Habits: clinics and persons with enough cases. Volume: deliveries with others of the same source.
-- Source: needlepoint contract, release checks.
-- grain: check_id
with accepted_row as (
    select
        'patient' as table_name,
        count(*) as accepted_rows
    from lake.patient
    where accepted
    union all
    select
        'episode' as table_name,
        count(*) as accepted_rows
    from lake.episode
    where accepted
    union all
    select
        'visit' as table_name,
        count(*) as accepted_rows
    from lake.visit
    where accepted
    union all
    select
        'measurement' as table_name,
        count(*) as accepted_rows
    from lake.measurement
    where accepted
    union all
    select
        'treatment' as table_name,
        count(*) as accepted_rows
    from lake.treatment
    where accepted
    union all
    select
        'adverse_event' as table_name,
        count(*) as accepted_rows
    from lake.adverse_event
    where accepted
    union all
    select
        'precaution' as table_name,
        count(*) as accepted_rows
    from lake.precaution
    where accepted
),

repeat as (
    select
        'patient' as table_name,
        count(*) as repeated_rows
    from staging.patient_repeat
    union all
    select
        'episode' as table_name,
        count(*) as repeated_rows
    from staging.episode_repeat
    union all
    select
        'visit' as table_name,
        count(*) as repeated_rows
    from staging.visit_repeat
    union all
    select
        'measurement' as table_name,
        count(*) as repeated_rows
    from staging.measurement_repeat
    union all
    select
        'treatment' as table_name,
        count(*) as repeated_rows
    from staging.treatment_repeat
    union all
    select
        'adverse_event' as table_name,
        count(*) as repeated_rows
    from staging.adverse_event_repeat
    union all
    select
        'precaution' as table_name,
        count(*) as repeated_rows
    from staging.precaution_repeat
),

table_reference as (
    select
        check_id,
        table_name
    from reference.quality_check
    where stage = 'release' and kind = 'reference'
),

table_key as (
    select
        check_id,
        table_name
    from reference.quality_check
    where stage = 'release' and kind = 'unique'
),

closed_episode as (
    select count(*) as evaluated
    from staging.episode
    where discharge_day is not null
),

late_episode as (
    select count(*) as evaluated
    from staging.episode_set_aside
    where check_id = 'episode.discharge_day.after_last_visit'
),

treatment as (
    select count(*) as evaluated
    from staging.treatment
),

sham as (
    select count(*) as evaluated
    from staging.treatment_set_aside
    where check_id = 'treatment.treatment_class.sham_in_trials_only'
),

visited_episode as (
    select count(*) as evaluated
    from intermediate.episode
    where visit_count > 0
),

scored_episode as (
    select count(*) as evaluated
    from intermediate.episode_pain
    where is_scored_at_both_ends
),

habit as (
    select
        check_id,
        count(*) as evaluated
    from audit.behaviour
    group by check_id
),

habit_check as (
    select check_id
    from reference.behaviour
),

compared_delivery as (
    select count(*) as evaluated
    from audit.delivery_volume
),

counted as (
    select
        table_key.check_id,
        accepted_row.accepted_rows as evaluated
    from table_key
    inner join accepted_row on table_key.table_name = accepted_row.table_name
    union all
    select
        table_reference.check_id,
        accepted_row.accepted_rows - repeat.repeated_rows as evaluated
    from table_reference
    inner join accepted_row on table_reference.table_name = accepted_row.table_name
    inner join repeat on table_reference.table_name = repeat.table_name
    union all
    select
        'episode.discharge_day.after_last_visit' as check_id,
        closed_episode.evaluated + late_episode.evaluated as evaluated
    from closed_episode
    cross join late_episode
    union all
    select
        'treatment.treatment_class.sham_in_trials_only' as check_id,
        treatment.evaluated + sham.evaluated as evaluated
    from treatment
    cross join sham
    union all
    select
        'visit.day_offset.starts_at_zero' as check_id,
        visited_episode.evaluated
    from visited_episode
    union all
    select
        'measurement.measure_id.same_at_both_ends' as check_id,
        scored_episode.evaluated
    from scored_episode
    union all
    select
        habit_check.check_id,
        coalesce(habit.evaluated, 0) as evaluated
    from habit_check
    left join habit on habit_check.check_id = habit.check_id
    union all
    select
        'delivery.rows.usual_volume' as check_id,
        compared_delivery.evaluated
    from compared_delivery
)

select
    check_id,
    cast(evaluated as bigint) as evaluated
from counted
