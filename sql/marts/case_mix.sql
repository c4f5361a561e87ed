-- One narrow row per episode for models of single episodes: what was known before treatment, and how it ended.
-- 1. Before treatment: the patient, the episode as taken in, precautions, and the baseline scores. Codes that the feed
--    left out are 'unknown', so that not asked is a level of its own; numbers stay null.
-- 2. Pain is given on 0 to 10 scales only, by the measure of intermediate.episode_pain. pain_change needs the pair that
--    is comparable; latest_pain_change takes the latest score up to discharge whatever its day, after the baseline
--    day: the public specification asks for a first and a last score and names no window. Positive: less pain.
-- 3. Function: one questionnaire per episode, one with a comparable pair first, then by name. Burden is the share of
--    the scale from its best end (0) to its worst (1000), so that instruments of either direction can stand together;
--    the change is positive when the patient is better. Where the source predicts that score by a model of its own, the
--    change it predicts stands beside: from the same baseline to its latest prediction up to discharge.
-- 4. First episode: of the patient in these data, by year, then by key.
-- 5. Fold: patients numbered by key, modulo 5. All episodes of a patient share one, so that cross-validation never
--    tests on a patient it has learned from.
-- 6. In care at the landmark: the event, or where there is none the last visit, lies after the landmark day.
-- Source: domain reference 4.1, 4.5 and 4.7; recovery by the default definition (marts.episode_outcome).
-- grain: episode_key
with episode as (
    select
        episode_no,
        episode_key,
        patient_key,
        clinic_key,
        therapist_key,
        condition_id,
        side,
        start_year,
        population,
        arm,
        care,
        discharge_reason,
        is_closed,
        discharge_day,
        last_visit_day,
        visit_count
    from intermediate.episode
),

intake as (
    select
        episode_key,
        symptom_duration,
        surgery_count,
        comorbidity_count,
        fear_avoidance,
        prior_episode,
        payer
    from staging.episode
),

patient as (
    select
        patient_key,
        sex,
        age_years,
        dense_rank() over (order by patient_key) as patient_no
    from staging.patient
),

precaution as (
    select
        patient_key,
        max(case when precaution_type = 'anticoagulant' then present end) as anticoagulant,
        max(case when precaution_type = 'needle_phobia' then present end) as needle_phobia
    from staging.precaution
    group by patient_key
),

episode_pain as (
    select
        episode_no,
        measure_id,
        baseline_day,
        baseline_value,
        last_value
    from intermediate.episode_pain
    where is_points
),

episode_rom as (
    select
        episode_no,
        baseline_permille
    from intermediate.episode_rom
),

course as (
    select
        episode_no,
        measure_id,
        side,
        baseline_day,
        last_day,
        baseline_value,
        last_value
    from intermediate.measure_course
    where active_passive = 'any' and baseline_day is not null
),

function_measure as (
    select
        measure_id,
        better,
        low,
        high
    from reference.measure
    where construct = 'function' and high > low and predicts is null
),

function_prediction as (
    select
        predicts as measure_id,
        min(measure_id) as prediction_id
    from reference.measure
    where predicts is not null
    group by predicts
),

prediction_course as (
    select
        episode_no,
        measure_id,
        side,
        last_value
    from intermediate.measure_course
    where active_passive = 'any'
),

outcome as (
    select
        episode_key,
        recovered,
        unknown_reason,
        responder_mcid,
        event_day,
        event_kind
    from marts.episode_outcome
),

discharge_window as (
    select value as discharge_window_days
    from reference.parameter
    where name = 'discharge_window_days'
),

landmark as (
    select value as landmark_day
    from reference.parameter
    where name = 'landmark_day'
),

latest_pain as (
    select
        episode_pain.episode_no,
        episode_pain.baseline_value - course.last_value as latest_pain_change
    from episode_pain
    inner join course on episode_pain.episode_no = course.episode_no and episode_pain.measure_id = course.measure_id
    where course.last_day > episode_pain.baseline_day and course.side = 'none'
),

function_burden as (
    select
        course.episode_no,
        course.measure_id,
        course.side,
        case function_measure.better
            when 'lower' then course.baseline_value - function_measure.low
            else function_measure.high - course.baseline_value
        end as baseline_burden,
        case function_measure.better
            when 'lower' then course.last_value - function_measure.low
            else function_measure.high - course.last_value
        end as last_burden,
        function_measure.high - function_measure.low as scale_width,
        coalesce(
            course.last_day > course.baseline_day
            and course.last_day >= coalesce(episode.discharge_day - discharge_window.discharge_window_days, 0),
            false
        ) as is_pair
    from course
    inner join function_measure on course.measure_id = function_measure.measure_id
    inner join episode on course.episode_no = episode.episode_no
    cross join discharge_window
),

function_permille as (
    select
        episode_no,
        measure_id,
        side,
        is_pair,
        cast(baseline_burden * 1000000 as bigint) * 1000 // cast(scale_width * 1000000 as bigint) as baseline_permille,
        cast(last_burden * 1000000 as bigint) * 1000 // cast(scale_width * 1000000 as bigint) as last_permille,
        row_number() over (
            partition by episode_no
            order by
                case when is_pair then 0 else 1 end,
                measure_id,
                side
        ) as choice
    from function_burden
),

chosen_function as (
    select
        episode_no,
        measure_id,
        side,
        baseline_permille,
        case when is_pair then baseline_permille - last_permille end as change_permille
    from function_permille
    where choice = 1
),

predicted_function as (
    select
        chosen_function.episode_no,
        chosen_function.baseline_permille
        - cast(
            case function_measure.better
                when 'lower' then prediction_course.last_value - function_measure.low
                else function_measure.high - prediction_course.last_value
            end * 1000000 as bigint
        ) * 1000 // cast((function_measure.high - function_measure.low) * 1000000 as bigint) as change_permille
    from chosen_function
    inner join function_measure on chosen_function.measure_id = function_measure.measure_id
    inner join function_prediction on chosen_function.measure_id = function_prediction.measure_id
    inner join prediction_course
        on
            chosen_function.episode_no = prediction_course.episode_no
            and function_prediction.prediction_id = prediction_course.measure_id
            and chosen_function.side = prediction_course.side
)

select
    episode.episode_key,
    episode.patient_key,
    episode.clinic_key,
    episode.therapist_key,
    episode.condition_id,
    coalesce(episode.population, 'unknown') as population,
    episode.start_year,
    coalesce(cast(episode.start_year as varchar), 'unknown') as period,
    episode.care,
    episode.arm is not null as is_trial,
    episode.is_closed,
    episode.discharge_reason,
    row_number() over (
        partition by episode.patient_key
        order by
            case when episode.start_year is null then 1 else 0 end,
            episode.start_year,
            episode.episode_key
    ) = 1 as is_first_episode,
    cast(patient.patient_no % 5 as integer) as fold,
    patient.age_years,
    coalesce(patient.sex, 'unknown') as sex,
    coalesce(intake.symptom_duration, 'unknown') as symptom_duration,
    intake.surgery_count,
    intake.comorbidity_count,
    coalesce(intake.fear_avoidance, 'unknown') as fear_avoidance,
    coalesce(intake.prior_episode, 'unknown') as prior_episode,
    coalesce(intake.payer, 'unknown') as payer,
    coalesce(episode.side, 'unknown') as side,
    coalesce(precaution.anticoagulant, 'unknown') as anticoagulant,
    coalesce(precaution.needle_phobia, 'unknown') as needle_phobia,
    episode_pain.measure_id as pain_measure_id,
    episode_pain.baseline_value as baseline_pain,
    episode_pain.last_value as last_pain,
    episode_pain.baseline_value - episode_pain.last_value as pain_change,
    latest_pain.latest_pain_change,
    chosen_function.measure_id as function_measure_id,
    cast(chosen_function.baseline_permille as integer) as baseline_function_permille,
    cast(chosen_function.change_permille as integer) as function_change_permille,
    cast(predicted_function.change_permille as integer) as predicted_function_change_permille,
    episode_rom.baseline_permille as baseline_rom_permille,
    outcome.recovered,
    outcome.unknown_reason,
    outcome.responder_mcid,
    outcome.event_day,
    outcome.event_kind,
    episode.visit_count,
    coalesce(coalesce(outcome.event_day, episode.last_visit_day) > landmark.landmark_day, false)
        as is_in_care_at_landmark
from episode
inner join intake on episode.episode_key = intake.episode_key
inner join patient on episode.patient_key = patient.patient_key
inner join outcome on episode.episode_key = outcome.episode_key
cross join landmark
left join precaution on episode.patient_key = precaution.patient_key
left join episode_pain on episode.episode_no = episode_pain.episode_no
left join latest_pain on episode.episode_no = latest_pain.episode_no
left join chosen_function on episode.episode_no = chosen_function.episode_no
left join predicted_function on episode.episode_no = predicted_function.episode_no
left join episode_rom on episode.episode_no = episode_rom.episode_no
