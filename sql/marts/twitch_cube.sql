-- Pain by local twitch response in exact sums, by condition (null: all), immediate and discharge apart.
-- 1. Immediate: from the pain scored on the day of a needling session to the next occasion it was scored, within some
--    days; by the twitch of that session. A unit is a session. Sessions of one day share the scores of the day.
-- 2. Discharge: from baseline to the last comparable score, as in marts.pain_cube; by the twitch of the episode. A unit
--    is a needled closed episode.
-- 3. Change is positive when pain is less. Both use the measure the episode is judged by, on a 0 to 10 scale.
-- 4. Units of one patient are alike. For an interval that says so there are the products of the totals of each patient:
--    change total squared, change total times pairs, pairs squared, summed over patients.
-- 5. Units of one patient lie on both sides of a comparison with no. For that there are the products with the totals of
--    the same patient for the answer no: change by change, change by pairs, pairs by change, pairs by pairs.
-- 6. Responders by the MCID are counted at discharge only.
-- Source: domain reference 3, 4.1 and 4.2.
-- grain: condition_id, outcome, twitch
with session as (
    select
        episode_no,
        day_offset,
        twitch
    from intermediate.session
    where is_needled
),

occasion as (
    select
        episode_no,
        day_offset,
        pain,
        lead(day_offset) over (partition by episode_no order by day_offset) as next_day,
        lead(pain) over (partition by episode_no order by day_offset) as next_pain
    from intermediate.pain_occasion
),

episode as (
    select
        episode_no,
        episode_key,
        patient_key,
        condition_id
    from intermediate.episode
),

episode_twitch as (
    select
        episode_no,
        twitch
    from intermediate.episode_twitch
),

outcome as (
    select
        episode_key,
        baseline_pain,
        pain_change,
        responder_mcid
    from marts.case_mix
    where is_closed
),

next_score as (
    select value as next_score_days
    from reference.parameter
    where name = 'next_score_days'
),

unit as (
    select
        'immediate' as outcome,
        episode.condition_id,
        episode.patient_key,
        session.twitch,
        occasion.next_day <= occasion.day_offset + next_score.next_score_days as is_pair,
        occasion.pain as baseline_value,
        occasion.pain - occasion.next_pain as change,
        cast(null as boolean) as responder_mcid
    from session
    inner join episode on session.episode_no = episode.episode_no
    cross join next_score
    left join occasion on session.episode_no = occasion.episode_no and session.day_offset = occasion.day_offset
    union all
    select
        'discharge' as outcome,
        episode.condition_id,
        episode.patient_key,
        episode_twitch.twitch,
        outcome.pain_change is not null as is_pair,
        outcome.baseline_pain as baseline_value,
        outcome.pain_change as change,
        case when outcome.pain_change is not null then outcome.responder_mcid end as responder_mcid
    from episode_twitch
    inner join episode on episode_twitch.episode_no = episode.episode_no
    inner join outcome on episode.episode_key = outcome.episode_key
),

of_patient as (
    select
        outcome,
        twitch,
        condition_id,
        grouping(condition_id) as is_total,
        patient_key,
        count(*) as units,
        count(case when is_pair then 1 end) as pairs,
        coalesce(sum(case when is_pair then baseline_value end), 0) as baseline_sum,
        cast(coalesce(sum(case when is_pair then change end), 0) as decimal(18, 6)) as change_sum,
        count(responder_mcid) as mcid_eligible,
        count(case when responder_mcid then 1 end) as mcid_responders
    from unit
    group by outcome, twitch, patient_key, cube (condition_id)
),

with_no as (
    select
        *,
        coalesce(
            max(case when twitch = 'no' then pairs end) over (
                partition by outcome, patient_key, is_total, condition_id
            ),
            0
        ) as no_pairs,
        coalesce(
            max(case when twitch = 'no' then change_sum end) over (
                partition by outcome, patient_key, is_total, condition_id
            ),
            0
        ) as no_change_sum
    from of_patient
)

select
    condition_id,
    outcome,
    twitch,
    count(*) as patients,
    count(case when pairs > 0 then 1 end) as pair_patients,
    count(case when pairs > 0 and no_pairs > 0 then 1 end) as patients_also_no,
    cast(sum(units) as bigint) as units,
    cast(sum(pairs) as bigint) as pairs,
    cast(sum(baseline_sum) as decimal(38, 6)) as baseline_sum,
    cast(sum(change_sum) as decimal(38, 6)) as change_sum,
    cast(sum(change_sum * change_sum) as decimal(38, 12)) as change_by_change,
    cast(sum(change_sum * pairs) as decimal(38, 6)) as change_by_pairs,
    cast(sum(pairs * pairs) as bigint) as pairs_by_pairs,
    cast(sum(change_sum * no_change_sum) as decimal(38, 12)) as change_by_no_change,
    cast(sum(change_sum * no_pairs) as decimal(38, 6)) as change_by_no_pairs,
    cast(sum(pairs * no_change_sum) as decimal(38, 6)) as pairs_by_no_change,
    cast(sum(pairs * no_pairs) as bigint) as pairs_by_no_pairs,
    cast(sum(mcid_eligible) as bigint) as mcid_eligible,
    cast(sum(mcid_responders) as bigint) as mcid_responders,
    count(case when mcid_eligible > 0 then 1 end) as mcid_patients
from with_no
group by condition_id, is_total, outcome, twitch
