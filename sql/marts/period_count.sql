-- Counts and exact sums by calendar period of the first visit, condition and clinic, for charts over time.
-- 1. Time unit 'month' (period YYYY-MM) where the calendar is the real one; 'year' (period YYYY) for every episode with
--    a start year. condition_id and clinic_key null stand for all.
-- 2. Eligible, known and recovered as in marts.recovery_cube, by the default definition; pairs and change as in
--    marts.pain_cube.
-- 3. The window of a period is closed when its last day plus the last planned window (84 days) is not after the last
--    day on record of the feeds with real dates. That is: when the period lies before the one that holds the day
--    last day - 84 + 1.
-- 4. Without real dates the last day is not known: a year counts as closed when a later start year is in the data,
--    with enough episodes (as many as a group needs to be judged) not to be a typing error. Where there are real dates
--    a year needs both.
-- Source: domain reference 4.6; dashboards specification 5.7 (months whose 12-week window is closed).
-- grain: time_unit, period, condition_id, clinic_key
with outcome as (
    select
        episode_key,
        condition_id,
        clinic_key,
        recovered,
        coalesce(unknown_reason, '') as unknown_reason,
        case when is_closed and deteriorated is not null then change end as pair_change
    from marts.episode_outcome
),

episode as (
    select
        episode_key,
        start_year,
        start_month,
        last_visit_day
    from intermediate.episode
),

first_visit as (
    select
        episode_key,
        first_calendar_day
    from staging.first_visit
    where start_month is not null
),

planned_window as (
    select max(planned_day) as window_days
    from reference.planned_window
),

smallest_group as (
    select value as episodes
    from reference.parameter
    where name = 'behaviour_smallest_group'
),

year_size as (
    select
        start_year,
        count(*) as episodes
    from episode
    where start_year is not null
    group by start_year
),

last_year as (
    select max(year_size.start_year) as start_year
    from year_size
    cross join smallest_group
    where year_size.episodes >= smallest_group.episodes
),

last_record as (
    select max(first_visit.first_calendar_day + episode.last_visit_day) as last_day
    from episode
    inner join first_visit on episode.episode_key = first_visit.episode_key
),

first_open as (
    select
        last_year.start_year as open_year,
        substring(
            cast(date '1970-01-01' + (last_record.last_day - planned_window.window_days + 1) as varchar), 1, 7
        ) as open_month
    from last_record
    cross join planned_window
    cross join last_year
),

period as (
    select
        episode.episode_key,
        'month' as time_unit,
        episode.start_month as period,
        coalesce(episode.start_month < first_open.open_month, false) as is_window_closed
    from episode
    cross join first_open
    where episode.start_month is not null
    union all
    select
        episode.episode_key,
        'year' as time_unit,
        cast(episode.start_year as varchar) as period,
        coalesce(episode.start_year < first_open.open_year, false)
        and (
            first_open.open_month is null
            or cast(episode.start_year as varchar) < substring(first_open.open_month, 1, 4)
        ) as is_window_closed
    from episode
    cross join first_open
    where episode.start_year is not null
),

finest as (
    select
        period.time_unit,
        period.period,
        period.is_window_closed,
        outcome.condition_id,
        outcome.clinic_key,
        count(*) as episodes,
        count(case when outcome.unknown_reason not in ('still_open', 'baseline_too_low') then 1 end) as eligible,
        count(case when outcome.recovered <> 'unknown' then 1 end) as known,
        count(case when outcome.recovered = 'yes' then 1 end) as recovered,
        count(outcome.pair_change) as pairs,
        sum(outcome.pair_change) as change_sum,
        sum(outcome.pair_change * outcome.pair_change) as change_sum_squares
    from period
    inner join outcome on period.episode_key = outcome.episode_key
    group by
        period.time_unit, period.period, period.is_window_closed, outcome.condition_id, outcome.clinic_key
)

select
    time_unit,
    period,
    condition_id,
    clinic_key,
    is_window_closed,
    cast(sum(episodes) as bigint) as episodes,
    cast(sum(eligible) as bigint) as eligible,
    cast(sum(known) as bigint) as known,
    cast(sum(recovered) as bigint) as recovered,
    cast(sum(pairs) as bigint) as pairs,
    cast(coalesce(sum(change_sum), 0) as decimal(38, 6)) as change_sum,
    cast(coalesce(sum(change_sum_squares), 0) as decimal(38, 12)) as change_sum_squares
from finest
group by time_unit, period, is_window_closed, cube (condition_id, clinic_key)
