-- The side of the body that an episode of a one-sided complaint can be compared with.
-- 1. The opposite side, where the episode's side is left or right and its condition has sides.
-- 2. Not where another episode of the patient for the same condition names that side, or both: it is not known to be
--    free of complaint, whenever that episode was.
-- 3. Conditions of the spine have no side, and their motions no opposite side that is free of the complaint.
-- Source: domain reference 4.2.
-- grain: episode_no
with episode as (
    select
        episode_no,
        patient_key,
        condition_id,
        side
    from intermediate.episode
),

condition as (
    select condition_id
    from reference.condition
    where sided
),

complaint as (
    select
        episode.episode_no,
        episode.side,
        max(case when episode.side in ('left', 'bilateral') then 1 else 0 end) over (
            partition by episode.patient_key, episode.condition_id
        ) as has_left,
        max(case when episode.side in ('right', 'bilateral') then 1 else 0 end) over (
            partition by episode.patient_key, episode.condition_id
        ) as has_right
    from episode
    inner join condition on episode.condition_id = condition.condition_id
)

select
    episode_no,
    case side when 'left' then 'right' else 'left' end as asymptomatic_side
from complaint
where (side = 'left' and has_right = 0) or (side = 'right' and has_left = 0)
