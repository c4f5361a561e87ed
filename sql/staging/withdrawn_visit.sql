-- Visits that were taken back, by themselves or with their episode or patient.
-- 1. Only looked up for rows whose visit is not current; a visit that was said again later is.
-- grain: visit_key
with withdrawal as (
    select key_1 as visit_key
    from staging.withdrawal
    where table_name = 'visit'
),

with_episode as (
    select visit.visit_key
    from lake.visit
    inner join staging.withdrawn_episode on visit.episode_key = withdrawn_episode.episode_key
    where visit.accepted
)

select visit_key
from withdrawal
union
select visit_key
from with_episode
