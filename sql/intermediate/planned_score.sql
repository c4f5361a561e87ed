-- Scores at the days a protocol planned, for feeds with a planned day; empty for routine care.
-- 1. Series, baseline, ties and packing as in intermediate.measure_course; the planned day is the visit's own.
-- 2. Of several scores for one planned day the nearest counts, of two equally near the earlier.
-- Source: domain reference 4.1.
-- grain: episode_no, measure_id, side, active_passive, method, planned_day
with measurement as (
    select
        visit_key,
        measure_id,
        side,
        active_passive,
        method,
        value
    from staging.measurement
),

measure as (
    select
        measure_id,
        construct = 'rom' as is_motion,
        case when better = 'lower' then cast(1000000 as decimal(7, 0)) else cast(-1000000 as decimal(7, 0)) end
            as burden_factor,
        case when better = 'lower' then 0.000001 else -0.000001 end as burden_unit
    from reference.measure
),

visit as (
    select
        visit_key,
        episode_no,
        planned_day,
        planned_distance
    from intermediate.visit
    where planned_day > 0
),

course as (
    select
        episode_no,
        measure_id,
        side,
        active_passive,
        method,
        baseline_value
    from intermediate.measure_course
),

score as (
    select
        visit.episode_no,
        visit.planned_day,
        measurement.measure_id,
        measurement.side,
        measure.burden_unit,
        cast(visit.planned_distance as bigint) * 1099511627776 as distance_part,
        cast(measurement.value * measure.burden_factor as bigint) as burden,
        case when measure.is_motion then coalesce(measurement.active_passive, 'unknown') else 'any' end
            as active_passive,
        case when measure.is_motion then coalesce(measurement.method, 'unknown') else 'any' end as method
    from measurement
    inner join measure on measurement.measure_id = measure.measure_id
    inner join visit on measurement.visit_key = visit.visit_key
),

packed as (
    select
        episode_no,
        measure_id,
        side,
        active_passive,
        method,
        planned_day,
        min(burden_unit) as burden_unit,
        min(distance_part - burden + 549755813888) as score_pack
    from score
    group by episode_no, measure_id, side, active_passive, method, planned_day
)

select
    packed.episode_no,
    packed.measure_id,
    packed.side,
    packed.active_passive,
    packed.method,
    packed.planned_day,
    course.baseline_value,
    cast(
        cast(549755813888 - packed.score_pack % 1099511627776 as decimal(13, 0)) * packed.burden_unit as decimal(11, 6)
    )
        as score_value
from packed
inner join course
    on
        packed.episode_no = course.episode_no
        and packed.measure_id = course.measure_id
        and packed.side = course.side
        and packed.active_passive = course.active_passive
        and packed.method = course.method
