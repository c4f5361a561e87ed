-- Outcomes by subgroup in exact sums, by condition (null: all): population, symptom duration, local twitch response,
-- and kinds of treatment received.
-- 1. A code that the feed left out is the subgroup 'unknown', shown like any other.
-- 2. Twitch: needled episodes only (intermediate.episode_twitch).
-- 3. Care mix: each kind received at any session. Levels overlap: an episode counts in each kind it received. Who stays
--    longer collects more kinds, so the levels describe care and are no comparison of treatments.
-- 4. Eligible, known and recovered as in marts.recovery_cube, by the default definition. Pain as in marts.pain_cube:
--    closed episodes with a comparable pair on a 0 to 10 scale; change is positive when pain is less.
-- Source: domain reference 3, 4.1 and 4.2.
-- grain: condition_id, dimension, subgroup
with case_mix as (
    select
        episode_key,
        condition_id,
        population,
        symptom_duration,
        is_closed,
        recovered,
        coalesce(unknown_reason, '') as unknown_reason,
        baseline_pain,
        pain_change,
        responder_mcid
    from marts.case_mix
),

episode as (
    select
        episode_no,
        episode_key
    from intermediate.episode
),

episode_twitch as (
    select
        episode_no,
        twitch
    from intermediate.episode_twitch
),

episode_treatment as (
    select
        episode_no,
        treatment_class
    from intermediate.episode_treatment
),

judged as (
    select
        episode_key,
        condition_id,
        population,
        symptom_duration,
        case when unknown_reason not in ('still_open', 'baseline_too_low') then 1 else 0 end as is_eligible,
        case when recovered <> 'unknown' then 1 else 0 end as is_known,
        case when recovered = 'yes' then 1 else 0 end as is_recovered,
        case when is_closed and pain_change is not null then 1 else 0 end as is_pair,
        baseline_pain,
        pain_change,
        case when is_closed and pain_change is not null then responder_mcid end as responder_mcid
    from case_mix
),

placed as (
    select
        episode_key,
        'population' as dimension,
        population as subgroup
    from case_mix
    union all
    select
        episode_key,
        'symptom_duration' as dimension,
        symptom_duration as subgroup
    from case_mix
    union all
    select
        episode.episode_key,
        'twitch' as dimension,
        episode_twitch.twitch as subgroup
    from episode_twitch
    inner join episode on episode_twitch.episode_no = episode.episode_no
    union all
    select
        episode.episode_key,
        'care_mix' as dimension,
        episode_treatment.treatment_class as subgroup
    from episode_treatment
    inner join episode on episode_treatment.episode_no = episode.episode_no
),

finest as (
    select
        judged.condition_id,
        placed.dimension,
        placed.subgroup,
        count(*) as episodes,
        sum(judged.is_eligible) as eligible,
        sum(judged.is_known) as known,
        sum(judged.is_recovered) as recovered,
        sum(judged.is_pair) as pairs,
        coalesce(sum(case when judged.is_pair = 1 then judged.baseline_pain end), 0) as baseline_sum,
        coalesce(sum(case when judged.is_pair = 1 then judged.pain_change end), 0) as change_sum,
        coalesce(sum(case when judged.is_pair = 1 then judged.pain_change * judged.pain_change end), 0)
            as change_sum_squares,
        count(judged.responder_mcid) as mcid_eligible,
        count(case when judged.responder_mcid then 1 end) as mcid_responders
    from placed
    inner join judged on placed.episode_key = judged.episode_key
    group by judged.condition_id, placed.dimension, placed.subgroup
)

select
    condition_id,
    dimension,
    subgroup,
    cast(sum(episodes) as bigint) as episodes,
    cast(sum(eligible) as bigint) as eligible,
    cast(sum(known) as bigint) as known,
    cast(sum(recovered) as bigint) as recovered,
    cast(sum(pairs) as bigint) as pairs,
    cast(sum(baseline_sum) as decimal(38, 6)) as baseline_sum,
    cast(sum(change_sum) as decimal(38, 6)) as change_sum,
    cast(sum(change_sum_squares) as decimal(38, 12)) as change_sum_squares,
    cast(sum(mcid_eligible) as bigint) as mcid_eligible,
    cast(sum(mcid_responders) as bigint) as mcid_responders
from finest
group by dimension, subgroup, cube (condition_id)
