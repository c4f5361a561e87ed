-- Normal motion as each clinic sees it: the median of asymptomatic sides by sex and age, measured in one way.
-- 1. Asymptomatic sides: intermediate.asymptomatic_side. Motions of the spine have none, and everybody whose spine is
--    measured complains of it: a median would be that of patients. There the published normal value stands alone.
-- 2. One value for each patient: the first score of the side, else the last one, of the patient's first such episode.
-- 3. The lower of the two middle values where their number is even, so that the reference is a value that was measured.
-- 4. Only over as many patients as the contract asks for, and only of those whose age and sex are known.
-- 5. More patients move a median: the reference of an episode without an opposite side can change between releases.
-- Source: domain reference 1.4 and 4.2; Soucie 2011 (normal motion falls with age and differs by sex).
-- grain: clinic_key, measure_id, active_passive, method, sex, age_band
with episode as (
    select
        episode_no,
        patient_key,
        clinic_key,
        condition_id
    from intermediate.episode
),

asymptomatic_side as (
    select
        episode_no,
        asymptomatic_side
    from intermediate.asymptomatic_side
),

patient as (
    select
        patient_key,
        sex,
        age_years
    from staging.patient
    where sex <> 'unknown'
),

course as (
    select
        episode_no,
        measure_id,
        side,
        active_passive,
        method,
        coalesce(baseline_value, last_value) as side_value
    from intermediate.measure_course
    where side in ('left', 'right') and active_passive <> 'any'
),

condition_rom as (
    select
        condition_id,
        measure_id
    from reference.condition_rom
),

age_band as (
    select
        age_band,
        from_years,
        to_years
    from reference.age_band
),

minimum as (
    select value as minimum_patients
    from reference.parameter
    where name = 'reference_minimum_patients'
),

asymptomatic as (
    select
        episode.clinic_key,
        episode.patient_key,
        course.measure_id,
        course.active_passive,
        course.method,
        course.side_value,
        row_number() over (
            partition by
                episode.clinic_key,
                episode.patient_key,
                course.measure_id,
                course.active_passive,
                course.method
            order by episode.episode_no
        ) as place
    from course
    inner join asymptomatic_side
        on course.episode_no = asymptomatic_side.episode_no and course.side = asymptomatic_side.asymptomatic_side
    inner join episode on course.episode_no = episode.episode_no
    inner join condition_rom
        on episode.condition_id = condition_rom.condition_id and course.measure_id = condition_rom.measure_id
    where course.side_value is not null
),

grouped as (
    select
        asymptomatic.clinic_key,
        asymptomatic.measure_id,
        asymptomatic.active_passive,
        asymptomatic.method,
        asymptomatic.side_value,
        patient.sex,
        age_band.age_band
    from asymptomatic
    inner join patient on asymptomatic.patient_key = patient.patient_key
    inner join age_band
        on patient.age_years >= age_band.from_years and patient.age_years <= age_band.to_years
    where asymptomatic.place = 1
),

ordered as (
    select
        *,
        row_number() over (
            partition by clinic_key, measure_id, active_passive, method, sex, age_band
            order by side_value
        ) as value_no,
        count(*) over (partition by clinic_key, measure_id, active_passive, method, sex, age_band) as patients
    from grouped
)

select
    ordered.clinic_key,
    ordered.measure_id,
    ordered.active_passive,
    ordered.method,
    ordered.sex,
    ordered.age_band,
    ordered.patients,
    ordered.side_value as middle_value
from ordered
cross join minimum
where ordered.patients >= minimum.minimum_patients and ordered.value_no = (ordered.patients + 1) // 2
