-- Every row set aside, once for each check it violates, and what has become of it since.
-- 1. re_ingested: the delivery was read again under a corrected profile or contract and the row was taken in.
-- 2. corrected: a later delivery of the source holds the row in order (audit.quarantine_correction).
-- 3. waived: somebody decided that it need not be corrected (audit.quarantine_waiver). The row stays out all the same.
-- 4. expired: the waiver has ended; the row is open again. open: it waits.
-- 5. A row between others, such as one whose parent came later, is no entry once nothing is wrong with it: what it was
--    before depends on the order of arrival.
-- Source: needlepoint contract, checks.
-- grain: delivery_id, file, row_number, table_name, check_id
with finding as (
    select
        delivery_id,
        file,
        row_number,
        table_name,
        check_id,
        is_current
    from audit.quarantine_finding
),

correction as (
    select
        delivery_id,
        file,
        row_number,
        table_name,
        corrected_by
    from audit.quarantine_correction
),

waiver as (
    select
        delivery_id,
        file,
        row_number,
        table_name,
        check_id,
        ends_on,
        is_in_force
    from audit.quarantine_waiver
),

origin as (
    select
        delivery_id,
        file,
        row_number,
        table_name,
        clinic_key,
        missing_parent
    from audit.quarantine_origin
),

delivery as (
    select
        delivery_id,
        label
    from lake.delivery
),

quality_check as (
    select
        check_id,
        kind,
        reason,
        sentence
    from reference.quality_check
)

select
    finding.delivery_id,
    finding.file,
    finding.row_number,
    finding.table_name,
    finding.check_id,
    coalesce(quality_check.reason, 'UNREADABLE') as reason,
    coalesce(quality_check.sentence, finding.check_id) as sentence,
    case
        when not finding.is_current then 're_ingested'
        when correction.corrected_by is not null then 'corrected'
        when waiver.is_in_force then 'waived'
        when waiver.ends_on is not null then 'expired'
        else 'open'
    end as status,
    case when finding.is_current then correction.corrected_by end as corrected_by,
    waiver.ends_on as waived_until,
    origin.clinic_key,
    delivery.label as delivery_label,
    case when quality_check.kind = 'reference' then origin.missing_parent end as missing_parent
from finding
left join correction
    on
        finding.delivery_id = correction.delivery_id
        and finding.file = correction.file
        and finding.row_number = correction.row_number
        and finding.table_name = correction.table_name
left join waiver
    on
        finding.delivery_id = waiver.delivery_id
        and finding.file = waiver.file
        and finding.row_number = waiver.row_number
        and finding.table_name = waiver.table_name
        and finding.check_id = waiver.check_id
left join origin
    on
        finding.delivery_id = origin.delivery_id
        and finding.file = origin.file
        and finding.row_number = origin.row_number
        and finding.table_name = origin.table_name
left join delivery on finding.delivery_id = delivery.delivery_id
left join quality_check on finding.check_id = quality_check.check_id
