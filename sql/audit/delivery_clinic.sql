-- Which clinics each accepted delivery speaks of: by episodes of their own, or by visits of episodes known before.
-- 1. Deliveries without an extract stamp have no place in time and are left out.
-- 2. episode_rows: rows of episodes that name the clinic; 0 where only visits of its episodes were sent.
-- 3. Rows that only repeat an earlier delivery count: they were sent.
-- Source: needlepoint contract, drift.
-- grain: delivery_id, clinic_key
with delivery as (
    select
        delivery_id,
        profile,
        extract_stamp,
        file_count
    from lake.delivery
    where state = 'accepted' and extract_stamp <> ''
),

episode as (
    select
        episode_key,
        clinic_key,
        delivery_id
    from lake.episode
    where accepted
),

visit as (
    select
        delivery_id,
        episode_key
    from lake.visit
    where accepted
),

episode_clinic as (
    select
        episode_key,
        min(clinic_key) as clinic_key
    from episode
    group by episode_key
),

visited_clinic as (
    select
        visit.delivery_id,
        episode_clinic.clinic_key,
        0 as episode_rows
    from visit
    inner join episode_clinic on visit.episode_key = episode_clinic.episode_key
    group by visit.delivery_id, episode_clinic.clinic_key
),

named_clinic as (
    select
        delivery_id,
        clinic_key,
        count(*) as episode_rows
    from episode
    group by delivery_id, clinic_key
),

sent as (
    select
        delivery_id,
        clinic_key,
        episode_rows
    from visited_clinic
    union all
    select
        delivery_id,
        clinic_key,
        episode_rows
    from named_clinic
)

select
    sent.delivery_id,
    sent.clinic_key,
    cast(sum(sent.episode_rows) as bigint) as episode_rows,
    max(delivery.profile) as profile,
    max(delivery.extract_stamp) as extract_stamp,
    max(delivery.file_count) as file_count
from sent
inner join delivery on sent.delivery_id = delivery.delivery_id
group by sent.delivery_id, sent.clinic_key
