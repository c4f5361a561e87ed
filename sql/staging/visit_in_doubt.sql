-- Visits whose measurements must be looked at one by one; all other measurements are current as they are.
-- 1. Repeated: more rows than distinct scores. Each combination of measure, side and passive motion has a slot of a
--    bit mask at visit grain; as many bits as rows proves that no key repeats. A mask has 62 slots, passive motions
--    share one, and the method is left out, so that a visit may be in doubt without reason: its rows are then found
--    to be in order, never overlooked.
--    Grouping all measurements by their whole key costs four times the time and all the memory.
--    A visit with a withdrawn score is looked at as well.
-- 2. Orphan: the visit is missing or set aside.
-- Source: needlepoint contract, checks measurement.key.unique and measurement.visit_key.reference.
-- grain: visit_key
with measurement as (
    select
        visit_key,
        measure_id,
        side,
        active_passive
    from lake.measurement
    where accepted
),

measure as (
    select
        measure_id,
        slot
    from reference.measure
),

visit as (
    select visit_key
    from staging.visit
),

slotted as (
    select
        measurement.visit_key,
        measurement.active_passive,
        measure.slot + case when measurement.side = 'right' then 1 else 0 end as slot
    from measurement
    inner join measure on measurement.measure_id = measure.measure_id
),

masked as (
    select
        visit_key,
        case when active_passive = 'passive' then 2 when slot >= 62 then 1 else 0 end as mask_no,
        cast(1 as bigint) << cast(slot % 62 as integer) as slot_bit
    from slotted
),

visit_mask as (
    select
        visit_key,
        count(*) as score_rows,
        bit_or(case when mask_no = 0 then slot_bit else 0 end) as low_mask,
        bit_or(case when mask_no = 1 then slot_bit else 0 end) as high_mask,
        bit_or(case when mask_no = 2 then slot_bit else 0 end) as passive_mask
    from masked
    group by visit_key
),

withdrawn_score as (
    select distinct key_1 as visit_key
    from staging.withdrawal
    where table_name = 'measurement'
),

judged as (
    select
        visit_mask.visit_key,
        visit_mask.score_rows
        <> bit_count(visit_mask.low_mask) + bit_count(visit_mask.high_mask) + bit_count(visit_mask.passive_mask)
        or withdrawn_score.visit_key is not null as is_repeated,
        visit.visit_key is null as is_orphan
    from visit_mask
    left join visit on visit_mask.visit_key = visit.visit_key
    left join withdrawn_score on visit_mask.visit_key = withdrawn_score.visit_key
)

select
    visit_key,
    is_repeated,
    is_orphan
from judged
where is_repeated or is_orphan
