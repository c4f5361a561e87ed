-- Where a row set aside comes from: its clinic, and the parent that never came.
-- 1. Clinic: of the episode the row names, or of the episode of the visit it names; for rows of a patient, if all
--    episodes of the patient are of one clinic. Rows set aside themselves count too: they still say whose they are, but
--    only if some accepted episode is of that clinic. What else stands there is a value of a row, and is not repeated.
-- 2. Of several rows of one key an accepted one speaks, the latest first.
-- 3. Missing parent: the first link of the chain visit, episode, patient that no delivery holds. A parent that came but
--    was set aside itself is not missing.
-- grain: delivery_id, file, row_number, table_name
with delivery as (
    select
        delivery_id,
        extract_stamp
    from lake.delivery
),

known_clinic as (
    select clinic_key
    from lake.episode
    where accepted
    group by clinic_key
),

named as (
    select
        delivery_id,
        file,
        row_number,
        table_name,
        visit_key,
        episode_key,
        patient_key,
        clinic_key
    from audit.quarantine_row
),

named_visit as (
    select visit_key
    from named
    where visit_key is not null
    group by visit_key
),

visit_version as (
    select
        visit.visit_key,
        visit.episode_key,
        visit.accepted,
        row_number() over (
            partition by visit.visit_key
            order by
                visit.accepted desc,
                delivery.extract_stamp desc,
                visit.delivery_id desc,
                visit.file asc,
                visit.row_number asc
        ) as version_no
    from lake.visit
    inner join named_visit on visit.visit_key = named_visit.visit_key
    inner join delivery on visit.delivery_id = delivery.delivery_id
),

known_visit as (
    select
        visit_key,
        episode_key,
        accepted
    from visit_version
    where version_no = 1
),

with_visit as (
    select
        named.delivery_id,
        named.file,
        named.row_number,
        named.table_name,
        named.patient_key,
        named.clinic_key,
        coalesce(named.episode_key, known_visit.episode_key) as episode_key,
        named.visit_key is not null and known_visit.visit_key is null as is_visit_missing,
        case
            when named.table_name in ('episode', 'precaution', 'patient') then false
            when named.table_name = 'visit' then true
            else coalesce(known_visit.accepted, false)
        end as is_visit_usable
    from named
    left join known_visit on named.visit_key = known_visit.visit_key
),

named_episode as (
    select episode_key
    from with_visit
    where episode_key is not null
    group by episode_key
),

episode_version as (
    select
        episode.episode_key,
        episode.patient_key,
        episode.clinic_key,
        episode.accepted,
        row_number() over (
            partition by episode.episode_key
            order by
                episode.accepted desc,
                delivery.extract_stamp desc,
                episode.delivery_id desc,
                episode.file asc,
                episode.row_number asc
        ) as version_no
    from lake.episode
    inner join named_episode on episode.episode_key = named_episode.episode_key
    inner join delivery on episode.delivery_id = delivery.delivery_id
),

known_episode as (
    select
        episode_key,
        patient_key,
        clinic_key,
        accepted
    from episode_version
    where version_no = 1
),

with_episode as (
    select
        with_visit.delivery_id,
        with_visit.file,
        with_visit.row_number,
        with_visit.table_name,
        with_visit.is_visit_missing,
        coalesce(with_visit.patient_key, known_episode.patient_key) as patient_key,
        coalesce(with_visit.clinic_key, known_episode.clinic_key) as clinic_key,
        with_visit.is_visit_usable
        and with_visit.episode_key is not null
        and known_episode.episode_key is null as is_episode_missing,
        case
            when with_visit.table_name = 'patient' then false
            when with_visit.table_name in ('episode', 'precaution') then true
            else with_visit.is_visit_usable and coalesce(known_episode.accepted, false)
        end as is_patient_asked
    from with_visit
    left join known_episode on with_visit.episode_key = known_episode.episode_key
),

named_patient as (
    select patient_key
    from with_episode
    where patient_key is not null
    group by patient_key
),

known_patient as (
    select patient.patient_key
    from lake.patient
    inner join named_patient on patient.patient_key = named_patient.patient_key
    group by patient.patient_key
),

patient_clinic as (
    select
        episode.patient_key,
        case when min(episode.clinic_key) = max(episode.clinic_key) then min(episode.clinic_key) end as clinic_key
    from lake.episode
    inner join named_patient on episode.patient_key = named_patient.patient_key
    group by episode.patient_key
),

resolved as (
    select
        with_episode.delivery_id,
        with_episode.file,
        with_episode.row_number,
        with_episode.table_name,
        known_clinic.clinic_key,
        case
            when with_episode.is_visit_missing and with_episode.table_name <> 'visit' then 'visit'
            when with_episode.is_episode_missing then 'episode'
            when
                with_episode.is_patient_asked
                and with_episode.patient_key is not null
                and known_patient.patient_key is null
                then 'patient'
        end as missing_parent
    from with_episode
    left join known_patient on with_episode.patient_key = known_patient.patient_key
    left join patient_clinic on with_episode.patient_key = patient_clinic.patient_key
    left join known_clinic on coalesce(with_episode.clinic_key, patient_clinic.clinic_key) = known_clinic.clinic_key
)

select
    delivery_id,
    file,
    row_number,
    table_name,
    case when min(clinic_key) = max(clinic_key) then min(clinic_key) end as clinic_key,
    max(missing_parent) as missing_parent
from resolved
group by delivery_id, file, row_number, table_name
