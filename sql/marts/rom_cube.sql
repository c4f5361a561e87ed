-- The primary motion at both ends as share of its reference, in exact sums, with all totals.
-- 1. Closed episodes with both shares, in tenths of a percent. Totals as in marts.recovery_cube.
-- Source: domain reference 1.4.
-- grain: condition_id, clinic_key, care, period
with episode_outcome as (
    select
        condition_id,
        clinic_key,
        care,
        coalesce(cast(start_year as varchar), 'unknown') as period,
        rom_baseline_permille,
        rom_last_permille
    from marts.episode_outcome
    where is_closed and rom_baseline_permille is not null and rom_last_permille is not null
),

finest as (
    select
        condition_id,
        clinic_key,
        care,
        period,
        count(*) as pairs,
        sum(rom_baseline_permille) as baseline_permille_sum,
        sum(rom_last_permille) as last_permille_sum
    from episode_outcome
    group by condition_id, clinic_key, care, period
)

select
    condition_id,
    clinic_key,
    case when grouping(care) = 1 then 'any' else care end as care,
    case when grouping(period) = 1 then 'all' else period end as period,
    cast(sum(pairs) as bigint) as pairs,
    cast(sum(baseline_permille_sum) as bigint) as baseline_permille_sum,
    cast(sum(last_permille_sum) as bigint) as last_permille_sum
from finest
group by cube (condition_id, clinic_key, care, period)
having count(*) > 0
