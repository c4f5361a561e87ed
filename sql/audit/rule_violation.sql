-- Every violation of a rule between rows and tables: quarantined rows, and rows, groups or deliveries reported by a
-- warning.
-- 1. Quarantined rows: audit.row_set_aside. Superseded rows violate nothing and are not here.
-- 2. The first visit of an episode is day 0: reported is the first attended visit of an episode that starts later.
-- 3. Pain is scored with one measure at both ends: reported is a baseline score of each episode that has pain at both
--    ends but no measure that is at both.
-- 4. Habits: reported is the clinic or the person, without a row, whose share is beyond the limit (audit.behaviour).
-- 5. Volume: reported is the delivery, without a row, with far fewer or more rows than usual (audit.delivery_volume).
-- Source: needlepoint contract, release checks.
-- grain: check_id, table_name, delivery_id, file, row_number, clinic_key, recorder_key
with set_aside as (
    select
        check_id,
        table_name,
        delivery_id,
        file,
        row_number
    from audit.row_set_aside
    where fate = 'quarantined'
),

visit as (
    select
        visit_key,
        episode_key,
        day_offset,
        attendance,
        delivery_id,
        file,
        row_number
    from staging.visit
    where attendance = 'attended'
),

measurement as (
    select
        visit_key,
        measure_id,
        delivery_id,
        file,
        row_number
    from staging.measurement
),

pain_measure as (
    select measure_id
    from reference.measure
    where construct = 'pain'
),

changed_scale as (
    select episode_no
    from intermediate.episode_pain
    where is_scored_at_both_ends and not is_same_at_both_ends
),

baseline_visit as (
    select
        visit_key,
        episode_no,
        day_offset
    from intermediate.visit
    where is_baseline
),

habit as (
    select
        check_id,
        clinic_key,
        recorder_key
    from audit.behaviour
    where is_flagged
),

unusual_delivery as (
    select delivery_id
    from audit.delivery_volume
    where is_unusual
),

quality_check as (
    select
        check_id,
        table_name,
        reason
    from reference.quality_check
),

late_episode as (
    select episode_key
    from staging.visit
    where attendance = 'attended'
    group by episode_key
    having min(day_offset) > 0
),

visit_order as (
    select
        visit.delivery_id,
        visit.file,
        visit.row_number,
        row_number() over (partition by visit.episode_key order by visit.day_offset, visit.visit_key) as visit_number
    from visit
    inner join late_episode on visit.episode_key = late_episode.episode_key
),

late_start as (
    select
        'visit.day_offset.starts_at_zero' as check_id,
        'visit' as table_name,
        delivery_id,
        file,
        row_number
    from visit_order
    where visit_number = 1
),

doubtful_visit as (
    select
        baseline_visit.visit_key,
        baseline_visit.episode_no,
        baseline_visit.day_offset
    from baseline_visit
    inner join changed_scale on baseline_visit.episode_no = changed_scale.episode_no
),

baseline_score as (
    select
        measurement.delivery_id,
        measurement.file,
        measurement.row_number,
        row_number() over (
            partition by doubtful_visit.episode_no
            order by doubtful_visit.day_offset, measurement.visit_key, measurement.measure_id, measurement.row_number
        ) as score_no
    from measurement
    inner join doubtful_visit on measurement.visit_key = doubtful_visit.visit_key
    inner join pain_measure on measurement.measure_id = pain_measure.measure_id
),

violation as (
    select
        check_id,
        table_name,
        delivery_id,
        file,
        row_number,
        cast(null as varchar) as clinic_key,
        cast(null as varchar) as recorder_key,
        'quarantined' as fate
    from set_aside
    union all
    select
        check_id,
        table_name,
        delivery_id,
        file,
        row_number,
        null as clinic_key,
        null as recorder_key,
        'reported' as fate
    from late_start
    union all
    select
        'measurement.measure_id.same_at_both_ends' as check_id,
        'measurement' as table_name,
        delivery_id,
        file,
        row_number,
        null as clinic_key,
        null as recorder_key,
        'reported' as fate
    from baseline_score
    where score_no = 1
    union all
    select
        habit.check_id,
        quality_check.table_name,
        null as delivery_id,
        null as file,
        null as row_number,
        habit.clinic_key,
        habit.recorder_key,
        'reported' as fate
    from habit
    inner join quality_check on habit.check_id = quality_check.check_id
    union all
    select
        'delivery.rows.usual_volume' as check_id,
        'delivery' as table_name,
        delivery_id,
        null as file,
        null as row_number,
        null as clinic_key,
        null as recorder_key,
        'reported' as fate
    from unusual_delivery
)

select
    violation.check_id,
    violation.table_name,
    violation.delivery_id,
    violation.file,
    violation.row_number,
    violation.clinic_key,
    violation.recorder_key,
    violation.fate,
    quality_check.reason
from violation
inner join quality_check on violation.check_id = quality_check.check_id
