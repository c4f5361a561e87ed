-- Each needled episode with whether a local twitch response was seen: yes if at any session; no if some session has an
-- answer and none a yes; not_recorded if no session has an answer, which is an answer of its own and not a no.
-- More sessions give more chances of a yes: the groups differ in how long care lasted.
-- Source: domain reference 3.
-- grain: episode_no
with needling as (
    select
        episode_no,
        twitch
    from intermediate.session
    where is_needled
)

select
    episode_no,
    count(*) as sessions,
    count(case when twitch <> 'not_recorded' then 1 end) as answered_sessions,
    case
        when count(case when twitch = 'yes' then 1 end) > 0 then 'yes'
        when count(case when twitch = 'no' then 1 end) > 0 then 'no'
        else 'not_recorded'
    end as twitch
from needling
group by episode_no
