-- What became of every source row of each delivery.
-- 1. ingested = accepted + quarantined + superseded + rejected. Every term is counted by itself: accepted rows in the
--    current tables, quarantined ones on reading and by the models, superseded ones by the models.
-- 2. A source row that feeds one table has the fate of that row. A source row that feeds several tables is quarantined
--    if any of its rows is, superseded if all of them are, else accepted: also if all it says stood in an earlier row.
-- 3. Rejected deliveries count as a whole.
-- 4. Rows out of scope are those that the profile does not select. They were sent but not ingested: records of the
--    files = ingested + out_of_scope.
-- 5. A row that takes something back is accepted.
-- 6. Of a delivery that is not accepted problem_code says why; what to do about it is listed by code for the runbook.
-- Source: needlepoint house plan, conservation equation.
-- grain: delivery_id
with delivery as (
    select
        delivery_id,
        label,
        extract_stamp,
        state,
        problem_code,
        ingested,
        out_of_scope,
        set_aside_on_reading,
        rejected
    from lake.delivery
),

source_row as (
    select
        delivery_id,
        file,
        row_number
    from lake.source_row
    where accepted
),

row_set_aside as (
    select
        delivery_id,
        file,
        row_number,
        table_name,
        fate
    from audit.row_set_aside
),

current_row as (
    select
        delivery_id,
        file,
        count(*) as current_rows
    from staging.patient
    group by delivery_id, file
    union all
    select
        delivery_id,
        file,
        count(*) as current_rows
    from staging.episode
    group by delivery_id, file
    union all
    select
        delivery_id,
        file,
        count(*) as current_rows
    from staging.visit
    group by delivery_id, file
    union all
    select
        delivery_id,
        file,
        count(*) as current_rows
    from staging.measurement
    group by delivery_id, file
    union all
    select
        delivery_id,
        file,
        count(*) as current_rows
    from staging.treatment
    group by delivery_id, file
    union all
    select
        delivery_id,
        file,
        count(*) as current_rows
    from staging.adverse_event
    group by delivery_id, file
    union all
    select
        delivery_id,
        file,
        count(*) as current_rows
    from staging.precaution
    group by delivery_id, file
),

current_wide_row as (
    select
        patient.delivery_id,
        patient.file,
        patient.row_number
    from staging.patient
    inner join source_row
        on
            patient.delivery_id = source_row.delivery_id
            and patient.file = source_row.file
            and patient.row_number = source_row.row_number
    union all
    select
        episode.delivery_id,
        episode.file,
        episode.row_number
    from staging.episode
    inner join source_row
        on
            episode.delivery_id = source_row.delivery_id
            and episode.file = source_row.file
            and episode.row_number = source_row.row_number
    union all
    select
        visit.delivery_id,
        visit.file,
        visit.row_number
    from staging.visit
    inner join source_row
        on
            visit.delivery_id = source_row.delivery_id
            and visit.file = source_row.file
            and visit.row_number = source_row.row_number
    union all
    select
        measurement.delivery_id,
        measurement.file,
        measurement.row_number
    from staging.measurement
    inner join source_row
        on
            measurement.delivery_id = source_row.delivery_id
            and measurement.file = source_row.file
            and measurement.row_number = source_row.row_number
    union all
    select
        treatment.delivery_id,
        treatment.file,
        treatment.row_number
    from staging.treatment
    inner join source_row
        on
            treatment.delivery_id = source_row.delivery_id
            and treatment.file = source_row.file
            and treatment.row_number = source_row.row_number
    union all
    select
        adverse_event.delivery_id,
        adverse_event.file,
        adverse_event.row_number
    from staging.adverse_event
    inner join source_row
        on
            adverse_event.delivery_id = source_row.delivery_id
            and adverse_event.file = source_row.file
            and adverse_event.row_number = source_row.row_number
    union all
    select
        precaution.delivery_id,
        precaution.file,
        precaution.row_number
    from staging.precaution
    inner join source_row
        on
            precaution.delivery_id = source_row.delivery_id
            and precaution.file = source_row.file
            and precaution.row_number = source_row.row_number
),

wide_file as (
    select distinct
        delivery_id,
        file
    from source_row
),

narrow as (
    select
        current_row.delivery_id,
        current_row.current_rows as accepted,
        0 as quarantined,
        0 as superseded
    from current_row
    left join wide_file on current_row.delivery_id = wide_file.delivery_id and current_row.file = wide_file.file
    where wide_file.file is null
    union all
    select
        row_set_aside.delivery_id,
        0 as accepted,
        case when row_set_aside.fate = 'quarantined' then 1 else 0 end as quarantined,
        case when row_set_aside.fate = 'superseded' then 1 else 0 end as superseded
    from row_set_aside
    left join wide_file on row_set_aside.delivery_id = wide_file.delivery_id and row_set_aside.file = wide_file.file
    where wide_file.file is null
),

wide_fate as (
    select
        delivery_id,
        file,
        row_number,
        1 as is_current,
        0 as is_quarantined,
        0 as is_superseded
    from current_wide_row
    union all
    select
        delivery_id,
        file,
        row_number,
        0 as is_current,
        case when fate = 'quarantined' then 1 else 0 end as is_quarantined,
        case when fate = 'superseded' then 1 else 0 end as is_superseded
    from row_set_aside
),

wide_row as (
    select
        source_row.delivery_id,
        source_row.file,
        source_row.row_number,
        coalesce(max(wide_fate.is_current), 0) as is_current,
        coalesce(max(wide_fate.is_quarantined), 0) as is_quarantined,
        coalesce(max(wide_fate.is_superseded), 0) as is_superseded
    from source_row
    left join wide_fate
        on
            source_row.delivery_id = wide_fate.delivery_id
            and source_row.file = wide_fate.file
            and source_row.row_number = wide_fate.row_number
    group by source_row.delivery_id, source_row.file, source_row.row_number
),

counted as (
    select
        delivery_id,
        accepted,
        quarantined,
        superseded
    from narrow
    union all
    select
        delivery_id,
        case
            when is_quarantined = 1 then 0
            when is_superseded = 1 and is_current = 0 then 0
            else 1
        end as accepted,
        is_quarantined as quarantined,
        case when is_superseded = 1 and is_current = 0 and is_quarantined = 0 then 1 else 0 end as superseded
    from wide_row
),

summed as (
    select
        delivery_id,
        sum(accepted) as accepted,
        sum(quarantined) as quarantined,
        sum(superseded) as superseded
    from counted
    group by delivery_id
)

select
    delivery.delivery_id,
    delivery.label,
    delivery.extract_stamp,
    delivery.state,
    delivery.problem_code,
    delivery.ingested,
    delivery.out_of_scope,
    cast(coalesce(summed.accepted, 0) as bigint) as accepted,
    cast(delivery.set_aside_on_reading + coalesce(summed.quarantined, 0) as bigint) as quarantined,
    cast(coalesce(summed.superseded, 0) as bigint) as superseded,
    delivery.rejected
from delivery
left join summed on delivery.delivery_id = summed.delivery_id
