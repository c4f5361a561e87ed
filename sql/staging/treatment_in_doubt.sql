-- Visits whose treatments must be looked at one by one; all other treatments are in order between rows, sham aside.
-- 1. Repeated: more rows than classes. Each class has a bit of a mask at visit grain; as many bits as rows proves that
--    no key repeats. Beyond 62 classes some share a bit, so that a visit may be in doubt without reason: its rows are
--    then found to be in order, never overlooked.
--    Grouping all treatments by their whole key costs twice the time and several times the memory.
--    A visit with a withdrawn treatment is looked at as well.
-- 2. Orphan: the visit is missing or set aside.
-- Source: needlepoint contract, checks treatment.key.unique and treatment.visit_key.reference.
-- grain: visit_key
with treatment as (
    select
        visit_key,
        treatment_class
    from lake.treatment
    where accepted
),

sent_class as (
    select treatment_class
    from lake.treatment
    where accepted
    group by treatment_class
),

class_bit as (
    select
        treatment_class,
        cast(1 as bigint) << cast(row_number() over (order by treatment_class) % 62 as integer) as slot_bit
    from sent_class
),

visit as (
    select visit_key
    from staging.visit
),

visit_mask as (
    select
        treatment.visit_key,
        count(*) as treatment_rows,
        bit_or(class_bit.slot_bit) as class_mask
    from treatment
    inner join class_bit on treatment.treatment_class = class_bit.treatment_class
    group by treatment.visit_key
),

withdrawn_treatment as (
    select distinct key_1 as visit_key
    from staging.withdrawal
    where table_name = 'treatment'
),

judged as (
    select
        visit_mask.visit_key,
        visit_mask.treatment_rows <> bit_count(visit_mask.class_mask)
        or withdrawn_treatment.visit_key is not null as is_repeated,
        visit.visit_key is null as is_orphan
    from visit_mask
    left join visit on visit_mask.visit_key = visit.visit_key
    left join withdrawn_treatment on visit_mask.visit_key = withdrawn_treatment.visit_key
)

select
    visit_key,
    is_repeated,
    is_orphan
from judged
where is_repeated or is_orphan
