-- Counts of pain scores, for each clinic and therapist, in which habits of asking and recording show.
-- 1. Score pairs: consecutive scores of the measure the episode is judged by, on different days; identical ones hint at
--    scores carried over instead of asked for. No pain twice is no pair: who has recovered stays so.
-- 2. Ends: episodes with that measure at both ends; unchanged ones have the baseline score again at the end.
-- 3. MCID: changes that equal the MCID of the measure, out of those and the changes one unit less and one unit more.
--    About a third where changes are smooth: a pile at the MCID hints at scores chosen for it.
-- 4. Scored: episodes with pain at both ends; of those with a changed scale no measure is at both, as with worst pain
--    at baseline and current pain at discharge.
-- Source: domain reference 1.1.
-- grain: clinic_key, therapist_key
with pain_occasion as (
    select
        episode_no,
        day_offset,
        pain
    from intermediate.pain_occasion
),

episode as (
    select
        episode_no,
        clinic_key,
        therapist_key
    from intermediate.episode
),

episode_pain as (
    select
        episode_no,
        measure_id,
        baseline_value,
        last_value,
        baseline_value - last_value as change,
        is_scored_at_both_ends,
        is_scored_at_both_ends and not is_same_at_both_ends as is_changed_scale
    from intermediate.episode_pain
),

measure as (
    select
        measure_id,
        case when better = 'lower' then mcid else -mcid end as worthwhile_change
    from reference.measure
    where mcid is not null
),

compared as (
    select
        episode_no,
        pain,
        lag(pain) over (partition by episode_no order by day_offset) as pain_before
    from pain_occasion
),

episode_pair as (
    select
        episode_no,
        count(*) as score_pairs,
        count(case when pain = pain_before then 1 end) as identical_pairs
    from compared
    where pain_before is not null and (pain > 0 or pain_before > 0)
    group by episode_no
),

counted as (
    select
        episode.clinic_key,
        episode.therapist_key,
        coalesce(episode_pair.score_pairs, 0) as score_pairs,
        coalesce(episode_pair.identical_pairs, 0) as identical_pairs,
        case when episode_pain.change is not null then 1 else 0 end as ends,
        case when episode_pain.change = 0 then 1 else 0 end as unchanged,
        case
            when
                episode_pain.change >= measure.worthwhile_change - 1
                and episode_pain.change <= measure.worthwhile_change + 1
                and (episode_pain.change - measure.worthwhile_change) % 1 = 0
                then 1
            else 0
        end as near_mcid,
        case when episode_pain.change = measure.worthwhile_change then 1 else 0 end as at_mcid,
        case when episode_pain.is_scored_at_both_ends then 1 else 0 end as scored,
        case when episode_pain.is_changed_scale then 1 else 0 end as changed_scale
    from episode_pain
    inner join episode on episode_pain.episode_no = episode.episode_no
    left join measure on episode_pain.measure_id = measure.measure_id
    left join episode_pair on episode_pain.episode_no = episode_pair.episode_no
)

select
    clinic_key,
    therapist_key,
    cast(sum(score_pairs) as bigint) as score_pairs,
    cast(sum(identical_pairs) as bigint) as identical_pairs,
    cast(sum(ends) as bigint) as ends,
    cast(sum(unchanged) as bigint) as unchanged,
    cast(sum(near_mcid) as bigint) as near_mcid,
    cast(sum(at_mcid) as bigint) as at_mcid,
    cast(sum(scored) as bigint) as scored,
    cast(sum(changed_scale) as bigint) as changed_scale
from counted
group by clinic_key, therapist_key
