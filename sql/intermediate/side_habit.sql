-- How often left and right motion read the same, for each clinic and therapist.
-- 1. A pair is one motion, measured on both sides in the same way on the same day. Looked at are the first and the last
--    reading of each side of an episode, which the models have at hand: a habit of copying shows in these as well.
-- 2. Pairs that agree on the normal value are no pairs: full motion is written down as such.
-- Source: domain reference 1.4.
-- grain: clinic_key, therapist_key
with course as (
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
    where side in ('left', 'right')
),

measure as (
    select
        measure_id,
        reference_value
    from reference.measure
    where construct = 'rom'
),

episode as (
    select
        episode_no,
        clinic_key,
        therapist_key
    from intermediate.episode
),

reading as (
    select
        episode_no,
        measure_id,
        active_passive,
        method,
        baseline_day as reading_day,
        baseline_value as reading
    from course
    where baseline_day is not null
    union all
    select
        episode_no,
        measure_id,
        active_passive,
        method,
        last_day as reading_day,
        last_value as reading
    from course
    where last_day <> coalesce(baseline_day, -1)
),

pair as (
    select
        episode_no,
        measure_id,
        min(reading) as lower_reading,
        max(reading) as higher_reading
    from reading
    group by episode_no, measure_id, active_passive, method, reading_day
    having count(*) = 2
),

told as (
    select
        pair.episode_no,
        pair.lower_reading = pair.higher_reading as is_identical,
        pair.lower_reading = pair.higher_reading and pair.lower_reading = measure.reference_value as is_normal
    from pair
    inner join measure on pair.measure_id = measure.measure_id
),

episode_pair as (
    select
        episode_no,
        count(*) as side_pairs,
        count(case when is_identical then 1 end) as identical_pairs
    from told
    where not coalesce(is_normal, false)
    group by episode_no
)

select
    episode.clinic_key,
    episode.therapist_key,
    cast(sum(episode_pair.side_pairs) as bigint) as side_pairs,
    cast(sum(episode_pair.identical_pairs) as bigint) as identical_pairs
from episode_pair
inner join episode on episode_pair.episode_no = episode.episode_no
group by episode.clinic_key, episode.therapist_key
