-- When pain first stayed low enough, for each limit a recovery definition uses; no row if it never did.
-- 1. Held: two occasions at or below the limit, at least the sustained days apart, none above the limit between. The
--    day is that of the first of the two.
-- 2. Or at or below the limit at the discharge visit; the day is that of the visit. The earlier of the two days counts.
-- 3. Occasions after the baseline only. Pain may rise again later: definitions v1 ask whether it was reached.
-- 4. Low occasions follow each other without one above the limit between as long as the number of the occasion and its
--    number among the low ones keep their distance.
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

after_baseline as (
    select
        pain_occasion.episode_no,
        pain_occasion.day_offset,
        pain_occasion.pain,
        pain_occasion.is_discharge,
        row_number() over (
            partition by pain_occasion.episode_no
            order by pain_occasion.day_offset
        ) as occasion_no
    from pain_occasion
    inner join episode_pain on pain_occasion.episode_no = episode_pain.episode_no
    where pain_occasion.day_offset > episode_pain.baseline_day
),

low as (
    select
        after_baseline.episode_no,
        after_baseline.day_offset,
        after_baseline.is_discharge,
        pain_limit.pain_at_most,
        pain_limit.sustained_days,
        after_baseline.occasion_no - row_number() over (
            partition by after_baseline.episode_no, pain_limit.pain_at_most, pain_limit.sustained_days
            order by after_baseline.day_offset
        ) as run_number
    from after_baseline
    inner join pain_limit on after_baseline.pain <= pain_limit.pain_at_most
),

low_run as (
    select
        episode_no,
        pain_at_most,
        sustained_days,
        min(day_offset) as first_day,
        max(day_offset) as final_day,
        min(case when is_discharge then day_offset end) as discharge_day
    from low
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
