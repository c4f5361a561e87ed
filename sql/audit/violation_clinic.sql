-- What violates each rule of rows, between rows and of habits, by clinic.
-- 1. Rows set aside: the clinic they come from (audit.quarantine_origin), unknown for rows that lead to none.
-- 2. Reported rows: the clinic of their episode. Reported habits: the clinic they were found in.
-- 3. Reported deliveries: their clinic if they speak of one, else unknown.
-- Source: needlepoint contract, checks.
-- grain: check_id, clinic_key
with set_aside as (
    select
        delivery_id,
        file,
        row_number,
        table_name,
        check_id
    from audit.quarantine_finding
    where is_current
),

origin as (
    select
        delivery_id,
        file,
        row_number,
        table_name,
        clinic_key
    from audit.quarantine_origin
),

reported as (
    select
        check_id,
        table_name,
        delivery_id,
        file,
        row_number,
        clinic_key
    from audit.rule_violation
    where fate = 'reported'
),

delivery_clinic as (
    select
        delivery_id,
        clinic_key
    from audit.delivery_clinic
),

visit as (
    select
        visit_key,
        episode_key,
        delivery_id,
        file,
        row_number
    from staging.visit
),

measurement as (
    select
        visit_key,
        delivery_id,
        file,
        row_number
    from staging.measurement
),

episode as (
    select
        episode_key,
        clinic_key
    from staging.episode
),

only_clinic as (
    select
        delivery_id,
        min(clinic_key) as clinic_key
    from delivery_clinic
    group by delivery_id
    having count(*) = 1
),

reported_score as (
    select
        reported.check_id,
        measurement.visit_key
    from reported
    inner join measurement
        on
            reported.delivery_id = measurement.delivery_id
            and reported.file = measurement.file
            and reported.row_number = measurement.row_number
    where reported.table_name = 'measurement'
    group by reported.check_id, reported.delivery_id, reported.file, reported.row_number, measurement.visit_key
),

reported_visit as (
    select
        reported_score.check_id,
        visit.episode_key
    from reported_score
    inner join visit on reported_score.visit_key = visit.visit_key
    union all
    select
        reported.check_id,
        visit.episode_key
    from reported
    inner join visit
        on
            reported.delivery_id = visit.delivery_id
            and reported.file = visit.file
            and reported.row_number = visit.row_number
    where reported.table_name = 'visit'
),

violation as (
    select
        set_aside.check_id,
        origin.clinic_key
    from set_aside
    left join origin
        on
            set_aside.delivery_id = origin.delivery_id
            and set_aside.file = origin.file
            and set_aside.row_number = origin.row_number
            and set_aside.table_name = origin.table_name
    union all
    select
        reported_visit.check_id,
        episode.clinic_key
    from reported_visit
    inner join episode on reported_visit.episode_key = episode.episode_key
    union all
    select
        reported.check_id,
        coalesce(reported.clinic_key, only_clinic.clinic_key) as clinic_key
    from reported
    left join only_clinic on reported.delivery_id = only_clinic.delivery_id
    where reported.row_number is null
)

select
    check_id,
    clinic_key,
    count(*) as violated
from violation
group by check_id, clinic_key
