-- Every score by who recorded it: how many, from which to which, and how many motions end in a round number.
-- 1. Recorder: the rater, where the feed names one; else the therapist of the episode; else nobody.
-- 2. Round numbers are looked for in motions in degrees, among readings of whole degrees that are not the normal value:
--    full motion is written down as such.
-- 3. Clinic, therapist and measure are packed into one integer, group number x 1000 + measure number: grouping by texts
--    takes more time.
-- Source: domain reference 1.4.
-- grain: clinic_key, recorder_key, measure_id
with measurement as (
    select
        visit_key,
        measure_id,
        rater_key,
        value
    from staging.measurement
),

visit as (
    select
        visit_key,
        episode_no
    from intermediate.visit
),

numbered_episode as (
    select
        episode_no,
        clinic_key,
        therapist_key,
        cast(dense_rank() over (order by clinic_key, therapist_key) as integer) as group_no
    from intermediate.episode
),

care_group as (
    select
        group_no,
        clinic_key,
        therapist_key
    from numbered_episode
    group by group_no, clinic_key, therapist_key
),

measure as (
    select
        measure_id,
        measure_no,
        construct = 'rom' and unit = 'deg' as is_angle,
        coalesce(reference_value, -1000) as normal_value
    from reference.measure
),

numbered_measure as (
    select
        measure_no,
        measure_id
    from reference.measure
),

grouped_visit as (
    select
        visit.visit_key,
        numbered_episode.group_no * 1000 as group_part
    from visit
    inner join numbered_episode on visit.episode_no = numbered_episode.episode_no
),

score as (
    select
        grouped_visit.group_part + measure.measure_no as series_no,
        measurement.rater_key,
        measurement.value,
        case
            when measure.is_angle and measurement.value <> measure.normal_value and measurement.value % 1 = 0
                then cast(measurement.value as integer)
        end as whole_degrees
    from measurement
    inner join measure on measurement.measure_id = measure.measure_id
    inner join grouped_visit on measurement.visit_key = grouped_visit.visit_key
),

series as (
    select
        series_no,
        rater_key,
        count(*) as scores,
        min(value) as lowest,
        max(value) as highest,
        count(whole_degrees) as whole_degrees,
        count(case when whole_degrees % 5 = 0 then 1 end) as at_fives,
        count(case when whole_degrees % 10 = 0 then 1 end) as at_tens
    from score
    group by series_no, rater_key
)

select
    care_group.clinic_key,
    coalesce(series.rater_key, care_group.therapist_key) as recorder_key,
    numbered_measure.measure_id,
    cast(sum(series.scores) as bigint) as scores,
    min(series.lowest) as lowest,
    max(series.highest) as highest,
    cast(sum(series.whole_degrees) as bigint) as whole_degrees,
    cast(sum(series.at_fives) as bigint) as at_fives,
    cast(sum(series.at_tens) as bigint) as at_tens
from series
inner join care_group on series.series_no // 1000 = care_group.group_no
inner join numbered_measure on series.series_no % 1000 = numbered_measure.measure_no
group by care_group.clinic_key, coalesce(series.rater_key, care_group.therapist_key), numbered_measure.measure_id
