-- Each score series of an episode boiled down to the scores that count: baseline, last, and at the planned windows.
-- 1. A series is one measure on one side, for motions also one way of measuring it: an active and a passive motion, or
--    a goniometer and an app, are not compared. Questionnaires are the same on paper and in an app.
-- 2. Baseline: the first score of a baseline visit. Last: the latest score up to discharge, whatever its day; whether
--    it lies after the baseline and near enough to discharge is decided where it is used.
-- 3. Planned windows: the score nearest to the planned day, of two equally near the earlier.
-- 4. Two scores on one day: the better one is the baseline, the worse one the outcome, so that chance never makes an
--    improvement. Burden is the score turned so that more is worse; in millionths, plus 2^39 to be positive.
-- 5. Day (or distance) and burden are packed into one integer, day x 2^40 + burden: the smallest is the earliest and
--    least, the largest the latest and worst. A visit that may not be used for something has no day for it, and no
--    part in the minimum.
-- Source: domain reference 1.4 and 4.1.
-- grain: episode_no, measure_id, side, active_passive, method
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
        case when is_baseline then cast(day_offset as bigint) * 1099511627776 + 549755813888 end as baseline_part,
        case when is_outcome then cast(day_offset as bigint) * 1099511627776 + 549755813888 end as last_part,
        case when window_no = 1 then cast(planned_distance as bigint) * 1099511627776 + 549755813888 end
            as window_1_part,
        case when window_no = 2 then cast(planned_distance as bigint) * 1099511627776 + 549755813888 end
            as window_2_part,
        case when window_no = 3 then cast(planned_distance as bigint) * 1099511627776 + 549755813888 end
            as window_3_part
    from intermediate.visit
),

score as (
    select
        visit.episode_no,
        measurement.measure_id,
        measurement.side,
        visit.baseline_part,
        visit.last_part,
        visit.window_1_part,
        visit.window_2_part,
        visit.window_3_part,
        measure.burden_unit,
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
        min(burden_unit) as burden_unit,
        min(baseline_part + burden) as baseline_pack,
        max(last_part + burden) as last_pack,
        min(window_1_part - burden) as window_1_pack,
        min(window_2_part - burden) as window_2_pack,
        min(window_3_part - burden) as window_3_pack
    from score
    group by episode_no, measure_id, side, active_passive, method
)

select
    episode_no,
    measure_id,
    side,
    active_passive,
    method,
    cast(baseline_pack // 1099511627776 as integer) as baseline_day,
    cast(last_pack // 1099511627776 as integer) as last_day,
    cast(cast(baseline_pack % 1099511627776 - 549755813888 as decimal(13, 0)) * burden_unit as decimal(11, 6))
        as baseline_value,
    cast(cast(last_pack % 1099511627776 - 549755813888 as decimal(13, 0)) * burden_unit as decimal(11, 6))
        as last_value,
    cast(cast(549755813888 - window_1_pack % 1099511627776 as decimal(13, 0)) * burden_unit as decimal(11, 6))
        as window_1_value,
    cast(cast(549755813888 - window_2_pack % 1099511627776 as decimal(13, 0)) * burden_unit as decimal(11, 6))
        as window_2_value,
    cast(cast(549755813888 - window_3_pack % 1099511627776 as decimal(13, 0)) * burden_unit as decimal(11, 6))
        as window_3_value
from packed
