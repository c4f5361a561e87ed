-- Habits that show in how data came about: for every clinic and every person the share of cases in which one shows.
-- 1. Each check has a case (score pair, reading, episode, discharge visit) and a sign (identical, round, at the MCID).
--    n counts the cases, shown those with the sign.
-- 2. Groups: the clinic as a whole, without a recorder; and each therapist, or each rater for motions read to round
--    numbers and for scores that never vary. Those are looked for in a clinic as a whole only where the feed names
--    nobody.
-- 3. Groups with fewer than 20 cases are not judged and not listed; no scores of a measure with fewer than 20 count as
--    never varying.
-- 4. Flagged: the share exceeds the limit by more than 3 standard errors of a share as large as the limit. In whole
--    numbers: (100 shown - limit n)^2 > 9 n limit (100 - limit).
-- 5. Never on a page: it speaks of single persons.
-- Source: needlepoint contract, behaviour; domain reference 1.1 and 1.4.
-- grain: check_id, clinic_key, recorder_key
with pain_habit as (
    select
        clinic_key,
        therapist_key,
        score_pairs,
        identical_pairs,
        ends,
        unchanged,
        near_mcid,
        at_mcid,
        scored,
        changed_scale
    from intermediate.pain_habit
),

side_habit as (
    select
        clinic_key,
        therapist_key,
        side_pairs,
        identical_pairs
    from intermediate.side_habit
),

recorder_habit as (
    select
        clinic_key,
        recorder_key,
        measure_id,
        scores,
        lowest,
        highest,
        whole_degrees,
        at_fives,
        at_tens
    from intermediate.recorder_habit
),

discharge_minute as (
    select
        clinic_key,
        therapist_key,
        recorded_minute,
        visits
    from intermediate.discharge_minute
),

measure as (
    select
        measure_id,
        reference_value
    from reference.measure
),

behaviour as (
    select
        check_id,
        limit_percent
    from reference.behaviour
),

smallest_group as (
    select value as smallest_group
    from reference.parameter
    where name = 'behaviour_smallest_group'
),

standard_error as (
    select value as standard_errors
    from reference.parameter
    where name = 'behaviour_standard_errors'
),

clinic_minute as (
    select
        clinic_key,
        recorded_minute,
        sum(visits) as visits
    from discharge_minute
    group by clinic_key, recorded_minute
),

person_case as (
    select
        'measurement.value.varies_within_clinic' as check_id,
        clinic_key,
        therapist_key as recorder_key,
        score_pairs as n,
        identical_pairs as shown
    from pain_habit
    union all
    select
        'measurement.value.changes_by_discharge' as check_id,
        clinic_key,
        therapist_key as recorder_key,
        ends as n,
        unchanged as shown
    from pain_habit
    union all
    select
        'measurement.value.no_pile_at_mcid' as check_id,
        clinic_key,
        therapist_key as recorder_key,
        near_mcid as n,
        at_mcid as shown
    from pain_habit
    union all
    select
        'measurement.measure_id.kept_within_clinic' as check_id,
        clinic_key,
        therapist_key as recorder_key,
        scored as n,
        changed_scale as shown
    from pain_habit
    union all
    select
        'measurement.value.differs_between_sides' as check_id,
        clinic_key,
        therapist_key as recorder_key,
        side_pairs as n,
        identical_pairs as shown
    from side_habit
    union all
    select
        'measurement.value.no_heaping_at_5' as check_id,
        clinic_key,
        recorder_key,
        whole_degrees as n,
        at_fives as shown
    from recorder_habit
    union all
    select
        'measurement.value.no_heaping_at_10' as check_id,
        clinic_key,
        recorder_key,
        whole_degrees as n,
        at_tens as shown
    from recorder_habit
),

nameless_clinic as (
    select clinic_key
    from recorder_habit
    group by clinic_key
    having max(recorder_key) is null
),

measure_score as (
    select
        recorder_habit.clinic_key,
        null as recorder_key,
        recorder_habit.measure_id,
        recorder_habit.scores,
        recorder_habit.lowest,
        recorder_habit.highest
    from recorder_habit
    inner join nameless_clinic on recorder_habit.clinic_key = nameless_clinic.clinic_key
    union all
    select
        clinic_key,
        recorder_key,
        measure_id,
        scores,
        lowest,
        highest
    from recorder_habit
    where recorder_key is not null
),

counted as (
    select
        check_id,
        clinic_key,
        cast(null as varchar) as recorder_key,
        sum(n) as n,
        sum(shown) as shown
    from person_case
    group by check_id, clinic_key
    union all
    select
        check_id,
        clinic_key,
        recorder_key,
        sum(n) as n,
        sum(shown) as shown
    from person_case
    where recorder_key is not null
    group by check_id, clinic_key, recorder_key
    union all
    select
        'visit.recorded_minute.spread_over_day' as check_id,
        clinic_key,
        null as recorder_key,
        sum(visits) as n,
        max(visits) as shown
    from clinic_minute
    group by clinic_key
    union all
    select
        'visit.recorded_minute.spread_over_day' as check_id,
        clinic_key,
        therapist_key as recorder_key,
        sum(visits) as n,
        max(visits) as shown
    from discharge_minute
    where therapist_key is not null
    group by clinic_key, therapist_key
    union all
    select
        'measurement.value.varies_within_therapist' as check_id,
        measure_score.clinic_key,
        measure_score.recorder_key,
        sum(measure_score.scores) as n,
        sum(
            case
                when measure_score.lowest < measure_score.highest then 0
                when measure_score.lowest = measure.reference_value then 0
                else measure_score.scores
            end
        ) as shown
    from measure_score
    inner join measure on measure_score.measure_id = measure.measure_id
    cross join smallest_group
    where measure_score.scores >= smallest_group.smallest_group
    group by measure_score.clinic_key, measure_score.recorder_key
),

judged as (
    select
        counted.check_id,
        counted.clinic_key,
        counted.recorder_key,
        cast(counted.n as bigint) as n,
        cast(counted.shown as bigint) as shown,
        behaviour.limit_percent,
        cast(100 * counted.shown - behaviour.limit_percent * counted.n as decimal(38, 0)) as excess,
        cast(standard_error.standard_errors * standard_error.standard_errors * counted.n as decimal(38, 0))
        * cast(behaviour.limit_percent * (100 - behaviour.limit_percent) as decimal(38, 0)) as chance
    from counted
    inner join behaviour on counted.check_id = behaviour.check_id
    cross join smallest_group
    cross join standard_error
    where counted.n >= smallest_group.smallest_group
)

select
    check_id,
    clinic_key,
    recorder_key,
    n,
    shown,
    limit_percent,
    excess > 0 and excess * excess > chance as is_flagged
from judged
