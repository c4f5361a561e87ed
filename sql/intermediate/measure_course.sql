-- Each score series of an episode boiled down to the scores that count: baseline, last, and at the planned windows.
-- 1. A series is one measure on one side, for motions also one way of measuring it: an active and a passive motion, or
--    a goniometer and an app, are not compared. Questionnaires are the same on paper and in an app.
-- 2. Baseline: the first score of a baseline visit. Last: the latest score up to discharge, whatever its day; whether
--    it lies after the baseline and near enough to discharge is decided where it is used.
-- 3. Planned windows: the score nearest to the planned day, of two equally near the earlier.
-- 4. Two scores on one day: the better one is the baseline, the worse one the outcome, so that chance never makes a
--    patient better. Burden is the score turned so that more is worse; in millionths, plus 2^39 to be positive.
-- 5. Day (or distance) and burden are packed into one integer, day x 2^40 + burden: the smallest is the earliest and
--    least, the largest the latest and worst. A visit that may not be used for something has no day for it, and no
--    part in the minimum.
-- 6. A series is grouped by one integer, episode number x 10^6 + measure number x 1000 + way: grouping by five texts
--    takes more time and memory. The way has one digit each for side, motion and method, so that every code the
--    contract allows must have its own digit here (a test compares them).
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
        measure_no,
        construct = 'rom' as is_motion,
        case when better = 'lower' then cast(1000000 as decimal(7, 0)) else cast(-1000000 as decimal(7, 0)) end
            as burden_factor
    from reference.measure
),

numbered_measure as (
    select
        measure_no,
        measure_id,
        construct = 'rom' as is_motion,
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
        visit.baseline_part,
        visit.last_part,
        visit.window_1_part,
        visit.window_2_part,
        visit.window_3_part,
        cast(cast(measurement.value as decimal(11, 6)) * measure.burden_factor as bigint) as burden,
        cast(visit.episode_no as bigint) * 1000000
        + measure.measure_no * 1000
        + case measurement.side when 'none' then 0 when 'left' then 100 when 'right' then 200 else 300 end
        + case
            when measure.is_motion
                then
                    case measurement.active_passive
                        when 'active' then 10
                        when 'passive' then 20
                        when 'not_applicable' then 30
                        else 0
                    end
                    + case measurement.method
                        when 'goniometer' then 1
                        when 'inclinometer' then 2
                        when 'crom' then 3
                        when 'tape' then 4
                        when 'app' then 5
                        when 'questionnaire' then 6
                        else 0
                    end
            else 0
        end as series_no
    from measurement
    inner join measure on measurement.measure_id = measure.measure_id
    inner join visit on measurement.visit_key = visit.visit_key
),

packed as (
    select
        series_no,
        min(baseline_part + burden) as baseline_pack,
        max(last_part + burden) as last_pack,
        min(window_1_part - burden) as window_1_pack,
        min(window_2_part - burden) as window_2_pack,
        min(window_3_part - burden) as window_3_pack
    from score
    group by series_no
),

unpacked as (
    select
        cast(packed.series_no // 1000000 as integer) as episode_no,
        numbered_measure.measure_id,
        numbered_measure.is_motion,
        numbered_measure.burden_unit,
        cast(packed.series_no % 1000 // 100 as integer) as side_no,
        cast(packed.series_no % 100 // 10 as integer) as motion_no,
        cast(packed.series_no % 10 as integer) as method_no,
        packed.baseline_pack,
        packed.last_pack,
        packed.window_1_pack,
        packed.window_2_pack,
        packed.window_3_pack
    from packed
    inner join numbered_measure on packed.series_no % 1000000 // 1000 = numbered_measure.measure_no
)

select
    episode_no,
    measure_id,
    case side_no when 0 then 'none' when 1 then 'left' when 2 then 'right' else 'bilateral' end as side,
    case
        when not is_motion then 'any'
        when motion_no = 1 then 'active'
        when motion_no = 2 then 'passive'
        when motion_no = 3 then 'not_applicable'
        else 'unknown'
    end as active_passive,
    case
        when not is_motion then 'any'
        when method_no = 1 then 'goniometer'
        when method_no = 2 then 'inclinometer'
        when method_no = 3 then 'crom'
        when method_no = 4 then 'tape'
        when method_no = 5 then 'app'
        when method_no = 6 then 'questionnaire'
        else 'unknown'
    end as method,
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
from unpacked
