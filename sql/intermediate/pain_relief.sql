-- When pain first stayed low enough, for each limit and occasion a recovery definition uses; no row if it never did.
-- 1. Held: two occasions at or below the limit, at least the sustained days apart, none above the limit between. The
--    day is that of the first of the two.
-- 2. Discharge: at or below the limit at the discharge visit; the day is that of the visit.
-- 3. Either: one of the two; the earlier of the two days counts.
-- 4. Occasions after the baseline only. Pain may rise again later: the definitions ask whether the goal was reached.
-- 5. Low occasions follow each other without one above the limit between as long as the number of the occasion and its
--    number among the low ones keep their distance.
-- Source: domain reference 4.2, recovery definitions in the contract.
-- grain: episode_no, pain_at_most, sustained_days, occasion
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

pain_goal as (
    select distinct
        pain_at_most,
        sustained_days,
        occasion,
        counts_held,
        counts_discharge
    from reference.definition
),

pain_limit as (
    select distinct pain_at_most
    from pain_goal
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
        after_baseline.occasion_no - row_number() over (
            partition by after_baseline.episode_no, pain_limit.pain_at_most
            order by after_baseline.day_offset
        ) as run_number
    from after_baseline
    inner join pain_limit on after_baseline.pain <= pain_limit.pain_at_most
),

low_run as (
    select
        episode_no,
        pain_at_most,
        min(day_offset) as first_day,
        max(day_offset) as final_day,
        min(case when is_discharge then day_offset end) as discharge_day
    from low
    group by episode_no, pain_at_most, run_number
),

reached as (
    select
        low_run.episode_no,
        pain_goal.pain_at_most,
        pain_goal.sustained_days,
        pain_goal.occasion,
        case
            when pain_goal.counts_held and low_run.final_day - low_run.first_day >= pain_goal.sustained_days
                then low_run.first_day
            when pain_goal.counts_discharge then low_run.discharge_day
        end as relief_day
    from low_run
    inner join pain_goal on low_run.pain_at_most = pain_goal.pain_at_most
)

select
    episode_no,
    pain_at_most,
    sustained_days,
    occasion,
    min(relief_day) as relief_day
from reached
where relief_day is not null
group by episode_no, pain_at_most, sustained_days, occasion
