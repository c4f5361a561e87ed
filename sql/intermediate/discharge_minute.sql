-- How many discharge visits were entered at each minute of the day, for each clinic and therapist.
-- 1. Attended visits called discharge, or on the day of discharge, with the minute at which the scores were entered.
-- 2. The day is not looked at: scores entered in one go at the end of a month share minute and day, those entered by a
--    nightly job share the minute only.
-- grain: clinic_key, therapist_key, recorded_minute
with discharge as (
    select
        visit_key,
        episode_no
    from intermediate.visit
    where is_discharge
),

visit as (
    select
        visit_key,
        recorded_minute
    from staging.visit
    where recorded_minute is not null
),

episode as (
    select
        episode_no,
        clinic_key,
        therapist_key
    from intermediate.episode
)

select
    episode.clinic_key,
    episode.therapist_key,
    visit.recorded_minute,
    count(*) as visits
from visit
inner join discharge on visit.visit_key = discharge.visit_key
inner join episode on discharge.episode_no = episode.episode_no
group by episode.clinic_key, episode.therapist_key, visit.recorded_minute
