-- The rows of each accepted delivery beside what is usual for its source.
-- 1. The source: deliveries of one profile that name the same clinics; where there is no other, all deliveries of the
--    profile. Clinics are compared by their number, the first and the last in the alphabet. Only deliveries with at
--    least three others are listed: of a history and one or two nights none says what is usual.
-- 2. Usual: the median of the rows of the other deliveries; of an even number the mean of the middle two, so it is
--    kept doubled. The others are counted through in the order of their rows: places from the delivery's own on move up
--    by one.
-- 3. Unusual: fewer than a third or more than three times the usual rows. A warning, for a small correction is as
--    welcome as a full extract. All accepted deliveries are looked at together: the order of arrival does not matter.
-- Source: needlepoint contract, volume.
-- grain: delivery_id
with delivery as (
    select
        delivery_id,
        profile,
        ingested
    from lake.delivery
    where state = 'accepted'
),

delivered_clinic as (
    select
        delivery_id,
        min(clinic_key) as first_clinic,
        max(clinic_key) as last_clinic,
        count(distinct clinic_key) as clinics
    from lake.episode
    group by delivery_id
),

volume_factor as (
    select value as volume_factor
    from reference.parameter
    where name = 'volume_factor'
),

fewest as (
    select value as fewest_others
    from reference.parameter
    where name = 'volume_deliveries'
),

numbered as (
    select
        delivery.delivery_id,
        delivery.ingested,
        'clinics' as company,
        dense_rank() over (
            order by
                delivery.profile,
                delivered_clinic.first_clinic,
                delivered_clinic.last_clinic,
                delivered_clinic.clinics
        ) as source_no
    from delivery
    left join delivered_clinic on delivery.delivery_id = delivered_clinic.delivery_id
    union all
    select
        delivery_id,
        ingested,
        'profile' as company,
        dense_rank() over (order by profile) as source_no
    from delivery
),

ranked as (
    select
        delivery_id,
        ingested,
        company,
        source_no,
        row_number() over (partition by company, source_no order by ingested, delivery_id) as rank_no,
        count(*) over (partition by company, source_no) - 1 as other_deliveries
    from numbered
),

alone as (
    select delivery_id
    from ranked
    where company = 'clinics' and other_deliveries = 0
),

compared as (
    select ranked.*
    from ranked
    left join alone on ranked.delivery_id = alone.delivery_id
    where ranked.company = case when alone.delivery_id is null then 'clinics' else 'profile' end
),

middle as (
    select
        compared.delivery_id,
        compared.ingested,
        compared.company,
        compared.source_no,
        compared.other_deliveries,
        (compared.other_deliveries + 1) // 2
        + case when (compared.other_deliveries + 1) // 2 >= compared.rank_no then 1 else 0 end as lower_place,
        compared.other_deliveries // 2 + 1
        + case when compared.other_deliveries // 2 + 1 >= compared.rank_no then 1 else 0 end as upper_place
    from compared
    inner join fewest on compared.other_deliveries >= fewest.fewest_others
),

usual as (
    select
        middle.delivery_id,
        middle.ingested,
        middle.other_deliveries,
        lower_middle.ingested + upper_middle.ingested as twice_usual
    from middle
    inner join ranked as lower_middle
        on
            middle.company = lower_middle.company
            and middle.source_no = lower_middle.source_no
            and middle.lower_place = lower_middle.rank_no
    inner join ranked as upper_middle
        on
            middle.company = upper_middle.company
            and middle.source_no = upper_middle.source_no
            and middle.upper_place = upper_middle.rank_no
)

select
    usual.delivery_id,
    usual.ingested,
    usual.other_deliveries,
    usual.twice_usual,
    2 * usual.ingested * volume_factor.volume_factor < usual.twice_usual
    or 2 * usual.ingested > usual.twice_usual * volume_factor.volume_factor as is_unusual
from usual
cross join volume_factor
