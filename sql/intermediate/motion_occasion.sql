-- The motion an episode is judged by, on each day it was measured, as a share of its reference.
-- 1. The measure, side, way of measuring and reference of intermediate.episode_rom, so that one reference serves all
--    days.
-- 2. Attended visits up to discharge only. Two scores on one day: the worse one counts.
-- 3. Shares are in tenths of a percent, cut off below 0 and above 1000: more than normal is not better.
-- Source: domain reference 1.4 and 4.2.
-- grain: episode_no, day_offset
with measurement as (
    select
        visit_key,
        measure_id,
        side,
        coalesce(active_passive, 'unknown') as active_passive,
        coalesce(method, 'unknown') as method,
        value
    from staging.measurement
),

visit as (
    select
        visit_key,
        episode_no,
        day_offset
    from intermediate.visit
    where is_outcome
),

episode_rom as (
    select
        episode_no,
        measure_id,
        side,
        active_passive,
        method,
        reference
    from intermediate.episode_rom
    where reference > 0
),

motion_measure as (
    select distinct measure_id
    from episode_rom
),

motion as (
    select
        measurement.visit_key,
        measurement.measure_id,
        measurement.side,
        measurement.active_passive,
        measurement.method,
        measurement.value
    from measurement
    inner join motion_measure on measurement.measure_id = motion_measure.measure_id
),

shared as (
    select
        visit.episode_no,
        visit.day_offset,
        cast(motion.value * 1000000 as bigint) * 1000 // cast(episode_rom.reference * 1000000 as bigint) as permille
    from motion
    inner join visit on motion.visit_key = visit.visit_key
    inner join episode_rom
        on
            visit.episode_no = episode_rom.episode_no
            and motion.measure_id = episode_rom.measure_id
            and motion.side = episode_rom.side
            and motion.active_passive = episode_rom.active_passive
            and motion.method = episode_rom.method
)

select
    episode_no,
    day_offset,
    cast(least(greatest(min(permille), 0), 1000) as integer) as permille
from shared
group by episode_no, day_offset
