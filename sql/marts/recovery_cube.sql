-- Counts of recovery by condition, clinic, care and start year, for each recovery definition, with all totals.
-- 1. condition_id and clinic_key null, care 'any' and period 'all' stand for all; episodes without a start year have
--    period 'unknown'.
-- 2. Eligible: closed, with a baseline that leaves room or without one. Eligible = known + no_baseline +
--    no_comparable_pair + rom_not_measured; the rate is recovered / known.
-- Source: domain reference 4.1, 4.2 and 4.4.
-- grain: condition_id, clinic_key, care, period, definition_id
with episode as (
    select
        episode_key,
        condition_id,
        clinic_key,
        care,
        coalesce(cast(start_year as varchar), 'unknown') as period
    from intermediate.episode
),

recovery as (
    select
        episode_key,
        definition_id,
        recovered,
        coalesce(unknown_reason, '') as unknown_reason
    from marts.episode_recovery
),

finest as (
    select
        episode.condition_id,
        episode.clinic_key,
        episode.care,
        episode.period,
        recovery.definition_id,
        count(*) as episodes,
        count(case when recovery.unknown_reason = 'still_open' then 1 end) as open_episodes,
        count(case when recovery.unknown_reason = 'baseline_too_low' then 1 end) as baseline_too_low,
        count(case when recovery.unknown_reason not in ('still_open', 'baseline_too_low') then 1 end) as eligible,
        count(case when recovery.recovered <> 'unknown' then 1 end) as known,
        count(case when recovery.recovered = 'yes' then 1 end) as recovered,
        count(case when recovery.unknown_reason = 'no_baseline' then 1 end) as no_baseline,
        count(case when recovery.unknown_reason = 'no_comparable_pair' then 1 end) as no_comparable_pair,
        count(case when recovery.unknown_reason = 'rom_not_measured' then 1 end) as rom_not_measured
    from episode
    inner join recovery on episode.episode_key = recovery.episode_key
    group by episode.condition_id, episode.clinic_key, episode.care, episode.period, recovery.definition_id
)

select
    condition_id,
    clinic_key,
    case when grouping(care) = 1 then 'any' else care end as care,
    case when grouping(period) = 1 then 'all' else period end as period,
    definition_id,
    cast(sum(episodes) as bigint) as episodes,
    cast(sum(open_episodes) as bigint) as open,
    cast(sum(baseline_too_low) as bigint) as baseline_too_low,
    cast(sum(eligible) as bigint) as eligible,
    cast(sum(known) as bigint) as known,
    cast(sum(recovered) as bigint) as recovered,
    cast(sum(no_baseline) as bigint) as no_baseline,
    cast(sum(no_comparable_pair) as bigint) as no_comparable_pair,
    cast(sum(rom_not_measured) as bigint) as rom_not_measured
from finest
group by definition_id, cube (condition_id, clinic_key, care, period)
