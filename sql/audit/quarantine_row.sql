-- Every row set aside, with the key it carries, so that a later row of the same key can be found.
-- 1. On reading: rows with a violation of their own. Other rows of the same source row are set aside with them, but are
--    not at fault and are not here.
-- 2. By the models: rows that violate a rule between rows.
-- 3. A part of the key that a table does not have is '', so is a way of measuring that was not stated; a part that is
--    missing is null. Visit, episode, patient and clinic are what the row itself says, the clinic only if an accepted
--    episode is of it.
-- 4. A source row that feeds several tables, or one table several times, is one line for each of its keys.
-- grain: delivery_id, file, row_number, table_name, key_1, key_2, key_3, key_4, key_5
with known_clinic as (
    select clinic_key
    from lake.episode
    where accepted
    group by clinic_key
),

found as (
    select
        delivery_id,
        file,
        row_number,
        'patient' as table_name,
        patient_key as key_1,
        '' as key_2,
        '' as key_3,
        '' as key_4,
        '' as key_5,
        cast(null as varchar) as visit_key,
        cast(null as varchar) as episode_key,
        patient_key,
        cast(null as varchar) as clinic_key
    from lake.patient
    where violations <> 0
    union all
    select
        delivery_id,
        file,
        row_number,
        'episode' as table_name,
        episode_key as key_1,
        '' as key_2,
        '' as key_3,
        '' as key_4,
        '' as key_5,
        null as visit_key,
        episode_key,
        patient_key,
        clinic_key
    from lake.episode
    where violations <> 0
    union all
    select
        delivery_id,
        file,
        row_number,
        'visit' as table_name,
        visit_key as key_1,
        '' as key_2,
        '' as key_3,
        '' as key_4,
        '' as key_5,
        visit_key,
        episode_key,
        null as patient_key,
        null as clinic_key
    from lake.visit
    where violations <> 0
    union all
    select
        delivery_id,
        file,
        row_number,
        'measurement' as table_name,
        visit_key as key_1,
        measure_id as key_2,
        side as key_3,
        coalesce(active_passive, '') as key_4,
        coalesce(method, '') as key_5,
        visit_key,
        null as episode_key,
        null as patient_key,
        null as clinic_key
    from lake.measurement
    where violations <> 0
    union all
    select
        delivery_id,
        file,
        row_number,
        'treatment' as table_name,
        visit_key as key_1,
        treatment_class as key_2,
        '' as key_3,
        '' as key_4,
        '' as key_5,
        visit_key,
        null as episode_key,
        null as patient_key,
        null as clinic_key
    from lake.treatment
    where violations <> 0
    union all
    select
        delivery_id,
        file,
        row_number,
        'adverse_event' as table_name,
        visit_key as key_1,
        event_type as key_2,
        '' as key_3,
        '' as key_4,
        '' as key_5,
        visit_key,
        null as episode_key,
        null as patient_key,
        null as clinic_key
    from lake.adverse_event
    where violations <> 0
    union all
    select
        delivery_id,
        file,
        row_number,
        'precaution' as table_name,
        patient_key as key_1,
        precaution_type as key_2,
        '' as key_3,
        '' as key_4,
        '' as key_5,
        null as visit_key,
        null as episode_key,
        patient_key,
        null as clinic_key
    from lake.precaution
    where violations <> 0
    union all
    select
        delivery_id,
        file,
        row_number,
        'patient' as table_name,
        patient_key as key_1,
        '' as key_2,
        '' as key_3,
        '' as key_4,
        '' as key_5,
        null as visit_key,
        null as episode_key,
        patient_key,
        null as clinic_key
    from staging.patient_repeat
    where fate = 'quarantined'
    union all
    select
        delivery_id,
        file,
        row_number,
        'episode' as table_name,
        episode_key as key_1,
        '' as key_2,
        '' as key_3,
        '' as key_4,
        '' as key_5,
        null as visit_key,
        episode_key,
        null as patient_key,
        null as clinic_key
    from staging.episode_set_aside
    where fate = 'quarantined'
    union all
    select
        delivery_id,
        file,
        row_number,
        'visit' as table_name,
        visit_key as key_1,
        '' as key_2,
        '' as key_3,
        '' as key_4,
        '' as key_5,
        visit_key,
        null as episode_key,
        null as patient_key,
        null as clinic_key
    from staging.visit_set_aside
    where fate = 'quarantined'
    union all
    select
        delivery_id,
        file,
        row_number,
        'measurement' as table_name,
        visit_key as key_1,
        measure_id as key_2,
        side as key_3,
        coalesce(active_passive, '') as key_4,
        coalesce(method, '') as key_5,
        visit_key,
        null as episode_key,
        null as patient_key,
        null as clinic_key
    from staging.measurement_set_aside
    where fate = 'quarantined'
    union all
    select
        delivery_id,
        file,
        row_number,
        'treatment' as table_name,
        visit_key as key_1,
        treatment_class as key_2,
        '' as key_3,
        '' as key_4,
        '' as key_5,
        visit_key,
        null as episode_key,
        null as patient_key,
        null as clinic_key
    from staging.treatment_set_aside
    where fate = 'quarantined'
    union all
    select
        delivery_id,
        file,
        row_number,
        'adverse_event' as table_name,
        visit_key as key_1,
        event_type as key_2,
        '' as key_3,
        '' as key_4,
        '' as key_5,
        visit_key,
        null as episode_key,
        null as patient_key,
        null as clinic_key
    from staging.adverse_event_set_aside
    where fate = 'quarantined'
    union all
    select
        delivery_id,
        file,
        row_number,
        'precaution' as table_name,
        patient_key as key_1,
        precaution_type as key_2,
        '' as key_3,
        '' as key_4,
        '' as key_5,
        null as visit_key,
        null as episode_key,
        patient_key,
        null as clinic_key
    from staging.precaution_set_aside
    where fate = 'quarantined'
)

select
    found.delivery_id,
    found.file,
    found.row_number,
    found.table_name,
    found.key_1,
    found.key_2,
    found.key_3,
    found.key_4,
    found.key_5,
    max(found.visit_key) as visit_key,
    max(found.episode_key) as episode_key,
    max(found.patient_key) as patient_key,
    max(known_clinic.clinic_key) as clinic_key
from found
left join known_clinic on found.clinic_key = known_clinic.clinic_key
group by
    found.delivery_id,
    found.file,
    found.row_number,
    found.table_name,
    found.key_1,
    found.key_2,
    found.key_3,
    found.key_4,
    found.key_5
