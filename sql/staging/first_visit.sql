-- The first visit of each episode on the calendar of its source: days since it are the days of the episode.
-- 1. The first visit that took place; the first planned one where none did.
-- 2. Visits that are not current because of their key (staging.visit_repeat) do not count.
-- 3. Year and month (YYYY-MM) are only known where the calendar is the real one (privacy mode limited_data_set).
-- 4. Looks at all deliveries together, so that an earlier visit that arrives late moves day 0 as if it had been in
--    time.
-- Source: domain reference 4.1.
-- grain: episode_key
with visit as (
    select
        visit_key,
        episode_key,
        calendar_day,
        attendance,
        delivery_id,
        file,
        row_number
    from lake.visit
    where accepted and calendar_day is not null
),

delivery as (
    select
        delivery_id,
        privacy_mode
    from lake.delivery
),

not_counted as (
    select
        delivery_id,
        file,
        row_number,
        visit_key
    from staging.visit_repeat
),

counted as (
    select
        visit.episode_key,
        visit.calendar_day,
        visit.attendance,
        delivery.privacy_mode
    from visit
    inner join delivery on visit.delivery_id = delivery.delivery_id
    left join not_counted
        on
            visit.delivery_id = not_counted.delivery_id
            and visit.file = not_counted.file
            and visit.row_number = not_counted.row_number
            and visit.visit_key = not_counted.visit_key
    where not_counted.row_number is null
),

first_day as (
    select
        episode_key,
        coalesce(
            min(case when attendance = 'attended' then calendar_day end),
            min(calendar_day)
        ) as first_calendar_day,
        min(privacy_mode) as privacy_mode
    from counted
    group by episode_key
)

select
    episode_key,
    first_calendar_day,
    case
        when privacy_mode = 'limited_data_set' then extract(year from date '1970-01-01' + first_calendar_day)
    end as start_year,
    case
        when privacy_mode = 'limited_data_set'
            then substring(cast(date '1970-01-01' + first_calendar_day as varchar), 1, 7)
    end as start_month
from first_day
