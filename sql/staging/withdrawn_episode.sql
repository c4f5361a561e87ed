-- Episodes that were taken back, by themselves or with their patient.
-- 1. Only looked up for rows whose episode is not current; an episode that was said again later is.
-- grain: episode_key
with withdrawal as (
    select key_1 as episode_key
    from staging.withdrawal
    where table_name = 'episode'
),

with_patient as (
    select episode.episode_key
    from lake.episode
    inner join staging.withdrawn_patient on episode.patient_key = withdrawn_patient.patient_key
    where episode.accepted
)

select episode_key
from withdrawal
union
select episode_key
from with_patient
