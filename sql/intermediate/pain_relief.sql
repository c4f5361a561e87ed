-- When pain first stayed low enough, for each limit a recovery definition uses; no row if it never did.
-- 1. Held: two occasions at or below the limit, at least the sustained days apart, none above the limit between. The
--    day is that of the first of the two.
-- 2. Or at or below the limit at the discharge visit; the day is that of the visit. The earlier of the two days counts.
-- 3. Occasions after the baseline only. Pain may rise again later: definitions v1 ask whether it was reached.
-- Source: domain reference 4.2, recovery definitions in the contract.
-- grain: episode_no, pain_at_most, sustained_days
with pain_occasion as (
    select
        episode_no,
        day_offset,
        pain,
        is_discharge
    from intermediate.pain_occasion
),

episode_pain as (
    select
        episode_no,
        baseline_day
    from intermediate.episode_pain
),

pain_limit as (
    select distinct
        pain_at_most,
        sustained_days
    from reference.definition
),

numbered as (
    select
        pain_occasion.episode_no,
        pain_occasion.day_offset,
        pain_occasion.is_discharge,
        pain_limit.pain_at_most,
        pain_limit.sustained_days,
        pain_occasion.pain <= pain_limit.pain_at_most as is_low,
        sum(case when pain_occasion.pain > pain_limit.pain_at_most then 1 else 0 end) over (
            partition by pain_occasion.episode_no, pain_limit.pain_at_most, pain_limit.sustained_days
            order by pain_occasion.day_offset
        ) as run_number
    from pain_occasion
    inner join episode_pain on pain_occasion.episode_no = episode_pain.episode_no
    cross join pain_limit
    where pain_occasion.day_offset > episode_pain.baseline_day
),

low_run as (
    select
        episode_no,
        pain_at_most,
        sustained_days,
        min(day_offset) as first_day,
        max(day_offset) as final_day,
        min(case when is_discharge then day_offset end) as discharge_day
    from numbered
    where is_low
    group by episode_no, pain_at_most, sustained_days, run_number
),

reached as (
    select
        episode_no,
        pain_at_most,
        sustained_days,
        case when final_day - first_day >= sustained_days then first_day else discharge_day end as relief_day
    from low_run
)

select
    episode_no,
    pain_at_most,
    sustained_days,
    min(relief_day) as relief_day
from reached
where relief_day is not null
group by episode_no, pain_at_most, sustained_days
