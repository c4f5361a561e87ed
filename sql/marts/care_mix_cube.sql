-- What care consists of: episodes that received each kind of treatment, by condition (null: all).
-- 1. All episodes, open ones included. Kinds overlap: the rows of a condition add up to more than its episodes.
-- 2. Needled: dry needling at any session. with_class counts episodes that received the kind at least once.
-- 3. Describes care. Who stays longer collects more kinds, so nothing here is an exposure.
-- grain: condition_id, treatment_class
with episode as (
    select
        episode_no,
        condition_id
    from intermediate.episode
),

episode_treatment as (
    select
        episode_no,
        treatment_class,
        sessions
    from intermediate.episode_treatment
),

needled as (
    select episode_no
    from episode_treatment
    where treatment_class = 'dry_needling'
),

whole as (
    select
        coalesce(episode.condition_id, '') as condition_or_all,
        count(*) as episodes,
        count(needled.episode_no) as needled
    from episode
    left join needled on episode.episode_no = needled.episode_no
    group by cube (episode.condition_id)
),

finest as (
    select
        episode.condition_id,
        episode_treatment.treatment_class,
        count(*) as with_class,
        count(needled.episode_no) as needled_with_class,
        sum(episode_treatment.sessions) as sessions
    from episode_treatment
    inner join episode on episode_treatment.episode_no = episode.episode_no
    left join needled on episode_treatment.episode_no = needled.episode_no
    group by episode.condition_id, episode_treatment.treatment_class
),

given as (
    select
        condition_id,
        treatment_class,
        sum(with_class) as with_class,
        sum(needled_with_class) as needled_with_class,
        sum(sessions) as sessions
    from finest
    group by treatment_class, cube (condition_id)
)

select
    given.condition_id,
    given.treatment_class,
    whole.episodes,
    whole.needled,
    cast(given.with_class as bigint) as with_class,
    cast(given.needled_with_class as bigint) as needled_with_class,
    cast(given.sessions as bigint) as sessions
from given
inner join whole on coalesce(given.condition_id, '') = whole.condition_or_all
