-- How often a clinic's pain scores repeat the score before, within an episode.
-- 1. Consecutive scores of the measure the episode is judged by, on different days.
-- 2. Repeating: more than 40% are identical, which hints at scores that are copied instead of asked for.
-- Source: domain reference 1.1.
-- grain: clinic_key
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
        clinic_key
    from intermediate.episode
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
    where pain_before is not null
    group by episode_no
)

select
    episode.clinic_key,
    cast(sum(episode_pair.score_pairs) as bigint) as score_pairs,
    cast(sum(episode_pair.identical_pairs) as bigint) as identical_pairs,
    100 * sum(episode_pair.identical_pairs) > 40 * sum(episode_pair.score_pairs) as is_repeating
from episode_pair
inner join episode on episode_pair.episode_no = episode.episode_no
group by episode.clinic_key
