-- Episodes by IMMPACT band of their change in pain, by condition, clinic and care, with all totals.
-- 1. Closed episodes with a comparable pair on a 0 to 10 scale, as in marts.pain_cube, that have a band: without a
--    first score above 0 there is none unless pain rose.
-- 2. Deteriorated: worse by the points of the deterioration rule. All of them are in the band worse.
-- 3. condition_id and clinic_key null and care 'any' stand for all. A band that nobody is in has no row.
-- Source: domain reference 4.1 and 4.2; Dworkin 2008 (IMMPACT bands).
-- grain: condition_id, clinic_key, care, band_id
with episode_outcome as (
    select
        condition_id,
        clinic_key,
        care,
        immpact_band,
        deteriorated
    from marts.episode_outcome
    where is_closed and deteriorated is not null and immpact_band is not null
),

finest as (
    select
        condition_id,
        clinic_key,
        care,
        immpact_band,
        count(*) as episodes,
        count(case when deteriorated then 1 end) as deteriorated
    from episode_outcome
    group by condition_id, clinic_key, care, immpact_band
)

select
    condition_id,
    clinic_key,
    case when grouping(care) = 1 then 'any' else care end as care,
    immpact_band as band_id,
    cast(sum(episodes) as bigint) as episodes,
    cast(sum(deteriorated) as bigint) as deteriorated
from finest
group by immpact_band, cube (condition_id, clinic_key, care)
having count(*) > 0
