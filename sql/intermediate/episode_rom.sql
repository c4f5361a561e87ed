-- The motion each episode is judged by: its primary motion, the worse one where there are several.
-- 1. Primary motions belong to the condition. Of a one-sided condition with a known side only that side is judged; else
--    every side measured.
-- 2. Last: the latest score up to discharge, after the first one (after the pain baseline if there is no first one in
--    the baseline window). Motion is judged by it whenever the pain goal was reached; the 14 days before discharge
--    that pain needs are not asked for.
-- 3. Reference: the last score of the other side, measured the same way within 14 days of it, if that side is free of
--    the complaint (intermediate.asymptomatic_side); else the normal value of the motion or, if that is lower, the
--    median of such sides of the clinic's patients of that sex and age (intermediate.rom_reference). One reference
--    serves both ends, so that shares can be compared. An episode without a last score takes the first score of the
--    other side in the same way.
-- 4. A motion without any reference cannot be judged, nor one where less is better.
-- 5. Several ways of measuring: the one used last. Several motions or sides: the lowest share of the reference.
-- 6. Shares are in tenths of a percent, cut off below 0 and above 1000: more than normal is not better.
-- Source: domain reference 1.4 and 4.2.
-- grain: episode_no
with episode as (
    select
        episode_no,
        patient_key,
        clinic_key,
        condition_id,
        side
    from intermediate.episode
),

patient as (
    select
        patient_key,
        sex,
        age_years
    from staging.patient
),

asymptomatic_side as (
    select
        episode_no,
        asymptomatic_side
    from intermediate.asymptomatic_side
),

rom_reference as (
    select
        clinic_key,
        measure_id,
        active_passive,
        method,
        sex,
        age_band,
        middle_value
    from intermediate.rom_reference
),

age_band as (
    select
        age_band,
        from_years,
        to_years
    from reference.age_band
),

episode_pain as (
    select
        episode_no,
        baseline_day
    from intermediate.episode_pain
),

course as (
    select
        episode_no,
        measure_id,
        side,
        active_passive,
        method,
        baseline_day,
        last_day,
        baseline_value,
        last_value
    from intermediate.measure_course
    where active_passive <> 'any'
),

other_course as (
    select
        episode_no,
        measure_id,
        side,
        active_passive,
        method,
        baseline_day,
        last_day,
        baseline_value,
        last_value
    from intermediate.measure_course
    where active_passive <> 'any' and side in ('left', 'right')
),

condition as (
    select
        condition_id,
        sided
    from reference.condition
),

condition_rom as (
    select
        condition_id,
        measure_id
    from reference.condition_rom
),

measure as (
    select
        measure_id,
        sided,
        reference_value,
        coalesce(mdc, 0) as mdc
    from reference.measure
    where better = 'higher'
),

contralateral_window as (
    select value as contralateral_window_days
    from reference.parameter
    where name = 'contralateral_window_days'
),

motion as (
    select
        course.episode_no,
        course.measure_id,
        course.side,
        course.active_passive,
        course.method,
        course.baseline_day,
        course.baseline_value,
        episode.clinic_key,
        patient.sex,
        age_band.age_band,
        asymptomatic_side.asymptomatic_side,
        measure.reference_value,
        measure.mdc,
        case
            when course.last_day > coalesce(course.baseline_day, episode_pain.baseline_day, 0) then course.last_day
        end as last_day,
        case
            when course.last_day > coalesce(course.baseline_day, episode_pain.baseline_day, 0) then course.last_value
        end as last_value,
        case
            when condition.sided and measure.sided and episode.side = 'left' then 'right'
            when condition.sided and measure.sided and episode.side = 'right' then 'left'
        end as other_side
    from course
    inner join episode on course.episode_no = episode.episode_no
    inner join condition on episode.condition_id = condition.condition_id
    inner join condition_rom
        on episode.condition_id = condition_rom.condition_id and course.measure_id = condition_rom.measure_id
    inner join measure on course.measure_id = measure.measure_id
    left join episode_pain on course.episode_no = episode_pain.episode_no
    left join asymptomatic_side on course.episode_no = asymptomatic_side.episode_no
    left join patient on episode.patient_key = patient.patient_key
    left join age_band on patient.age_years >= age_band.from_years and patient.age_years <= age_band.to_years
),

referred as (
    select
        motion.*,
        coalesce(
            case
                when
                    motion.last_day is not null
                    and abs(other.last_day - motion.last_day) <= contralateral_window.contralateral_window_days
                    then other.last_value
                when
                    motion.last_day is null
                    and abs(other.baseline_day - motion.baseline_day) <= contralateral_window.contralateral_window_days
                    then other.baseline_value
            end,
            case when rom_reference.middle_value < motion.reference_value then rom_reference.middle_value end,
            motion.reference_value,
            rom_reference.middle_value
        ) as reference
    from motion
    left join other_course as other
        on
            motion.episode_no = other.episode_no
            and motion.measure_id = other.measure_id
            and motion.asymptomatic_side = other.side
            and motion.active_passive = other.active_passive
            and motion.method = other.method
    left join rom_reference
        on
            motion.clinic_key = rom_reference.clinic_key
            and motion.measure_id = rom_reference.measure_id
            and motion.active_passive = rom_reference.active_passive
            and motion.method = rom_reference.method
            and motion.sex = rom_reference.sex
            and motion.age_band = rom_reference.age_band
    cross join contralateral_window
    where motion.other_side is null or motion.side <> motion.other_side
),

shared as (
    select
        episode_no,
        measure_id,
        side,
        active_passive,
        method,
        reference,
        mdc,
        last_day,
        last_value,
        cast(baseline_value * 1000000 as bigint) * 1000 // nullif(cast(reference * 1000000 as bigint), 0)
            as baseline_permille,
        cast(last_value * 1000000 as bigint) * 1000 // nullif(cast(reference * 1000000 as bigint), 0) as last_permille,
        coalesce(last_value, baseline_value) - reference as lead_over_reference
    from referred
    where reference is not null and (last_value is not null or baseline_value is not null)
),

latest as (
    select
        *,
        row_number() over (
            partition by episode_no, measure_id, side
            order by
                -coalesce(last_day, -1),
                coalesce(last_permille, baseline_permille),
                lead_over_reference,
                active_passive,
                method
        ) as way
    from shared
),

worst as (
    select
        *,
        row_number() over (
            partition by episode_no
            order by
                case when last_day is null then 1 else 0 end,
                coalesce(last_permille, baseline_permille),
                lead_over_reference,
                measure_id,
                side
        ) as place
    from latest
    where way = 1
)

select
    episode_no,
    measure_id,
    side,
    active_passive,
    method,
    reference,
    mdc,
    last_day,
    last_value,
    -- greatest() ignores nulls: without the condition a motion not measured would be a share of 0
    cast(
        case when reference > 0 and baseline_permille is not null then least(greatest(baseline_permille, 0), 1000) end
        as integer
    ) as baseline_permille,
    cast(
        case when reference > 0 and last_permille is not null then least(greatest(last_permille, 0), 1000) end
        as integer
    ) as last_permille
from worst
where place = 1
