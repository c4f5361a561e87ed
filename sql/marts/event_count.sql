-- Episodes by day and kind of event, from which the curves of time to recovery are made.
-- 1. condition_id and clinic_key null and care 'any' stand for all.
-- 2. Kinds as in marts.episode_outcome, by the default recovery definition. Unknown events have no day; they are kept
--    to be counted beside the curve.
-- Source: domain reference 4.3.
-- grain: condition_id, clinic_key, care, event_day, event_kind
with episode_outcome as (
    select
        condition_id,
        clinic_key,
        care,
        event_day,
        event_kind
    from marts.episode_outcome
    where event_kind is not null
),

definition as (
    select definition_id
    from reference.definition
    where is_default
),

finest as (
    select
        condition_id,
        clinic_key,
        care,
        event_day,
        event_kind,
        count(*) as episodes
    from episode_outcome
    group by condition_id, clinic_key, care, event_day, event_kind
),

total as (
    select
        condition_id,
        clinic_key,
        case when grouping(care) = 1 then 'any' else care end as care,
        event_day,
        event_kind,
        cast(sum(episodes) as bigint) as episodes
    from finest
    group by grouping sets (
        (event_day, event_kind),
        (event_day, event_kind, condition_id),
        (event_day, event_kind, clinic_key),
        (event_day, event_kind, condition_id, clinic_key),
        (event_day, event_kind, care),
        (event_day, event_kind, condition_id, care)
    )
)

select
    total.condition_id,
    total.clinic_key,
    total.care,
    total.event_day,
    total.event_kind,
    definition.definition_id,
    total.episodes
from total
cross join definition
