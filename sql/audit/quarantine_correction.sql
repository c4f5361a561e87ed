-- Rows set aside that were corrected at the source, and by which delivery.
-- 1. A later delivery, by extract stamp and then delivery id, holds a row of the same key that was accepted on reading;
--    or the key was taken back by the same or a later delivery. The order in which deliveries arrived does not matter.
-- 2. A source row with several keys is corrected once all of them are; the delivery named is the one that did so.
-- 3. A row whose key is missing or unreadable cannot be recognised in a later delivery: it stays open until it is
--    waived or its delivery is read again.
-- 4. Nothing is later than the last delivery: its rows wait for none, and a single delivery is not even scanned.
-- grain: delivery_id, file, row_number, table_name
with delivery as (
    select
        delivery_id,
        row_number() over (
            order by extract_stamp, delivery_id
        ) as delivery_no
    from lake.delivery
    where state = 'accepted'
),

last_delivery as (
    select max(delivery_no) as delivery_no
    from delivery
),

set_aside as (
    select
        quarantine_row.delivery_id,
        quarantine_row.file,
        quarantine_row.row_number,
        quarantine_row.table_name,
        quarantine_row.key_1,
        quarantine_row.key_2,
        quarantine_row.key_3,
        quarantine_row.key_4,
        quarantine_row.key_5,
        delivery.delivery_no
    from audit.quarantine_row
    inner join delivery on quarantine_row.delivery_id = delivery.delivery_id
),

waiting as (
    select
        set_aside.delivery_id,
        set_aside.file,
        set_aside.row_number,
        set_aside.table_name,
        set_aside.key_1,
        set_aside.key_2,
        set_aside.key_3,
        set_aside.key_4,
        set_aside.key_5,
        set_aside.delivery_no
    from set_aside
    cross join last_delivery
    where set_aside.delivery_no < last_delivery.delivery_no
),

same_key as (
    select
        waiting.delivery_id,
        waiting.file,
        waiting.row_number,
        waiting.table_name,
        waiting.key_1,
        waiting.key_2,
        waiting.key_3,
        waiting.key_4,
        waiting.key_5,
        waiting.delivery_no,
        patient.delivery_id as other_id
    from waiting
    inner join lake.patient on waiting.key_1 = patient.patient_key
    where waiting.table_name = 'patient' and patient.accepted
    union all
    select
        waiting.delivery_id,
        waiting.file,
        waiting.row_number,
        waiting.table_name,
        waiting.key_1,
        waiting.key_2,
        waiting.key_3,
        waiting.key_4,
        waiting.key_5,
        waiting.delivery_no,
        episode.delivery_id as other_id
    from waiting
    inner join lake.episode on waiting.key_1 = episode.episode_key
    where waiting.table_name = 'episode' and episode.accepted
    union all
    select
        waiting.delivery_id,
        waiting.file,
        waiting.row_number,
        waiting.table_name,
        waiting.key_1,
        waiting.key_2,
        waiting.key_3,
        waiting.key_4,
        waiting.key_5,
        waiting.delivery_no,
        visit.delivery_id as other_id
    from waiting
    inner join lake.visit on waiting.key_1 = visit.visit_key
    where waiting.table_name = 'visit' and visit.accepted
    union all
    select
        waiting.delivery_id,
        waiting.file,
        waiting.row_number,
        waiting.table_name,
        waiting.key_1,
        waiting.key_2,
        waiting.key_3,
        waiting.key_4,
        waiting.key_5,
        waiting.delivery_no,
        measurement.delivery_id as other_id
    from waiting
    inner join lake.measurement
        on
            waiting.key_1 = measurement.visit_key
            and waiting.key_2 = measurement.measure_id
            and waiting.key_3 = measurement.side
            and waiting.key_4 = coalesce(measurement.active_passive, '')
            and waiting.key_5 = coalesce(measurement.method, '')
    where waiting.table_name = 'measurement' and measurement.accepted
    union all
    select
        waiting.delivery_id,
        waiting.file,
        waiting.row_number,
        waiting.table_name,
        waiting.key_1,
        waiting.key_2,
        waiting.key_3,
        waiting.key_4,
        waiting.key_5,
        waiting.delivery_no,
        treatment.delivery_id as other_id
    from waiting
    inner join lake.treatment
        on
            waiting.key_1 = treatment.visit_key
            and waiting.key_2 = treatment.treatment_class
    where waiting.table_name = 'treatment' and treatment.accepted
    union all
    select
        waiting.delivery_id,
        waiting.file,
        waiting.row_number,
        waiting.table_name,
        waiting.key_1,
        waiting.key_2,
        waiting.key_3,
        waiting.key_4,
        waiting.key_5,
        waiting.delivery_no,
        adverse_event.delivery_id as other_id
    from waiting
    inner join lake.adverse_event
        on
            waiting.key_1 = adverse_event.visit_key
            and waiting.key_2 = adverse_event.event_type
    where waiting.table_name = 'adverse_event' and adverse_event.accepted
    union all
    select
        waiting.delivery_id,
        waiting.file,
        waiting.row_number,
        waiting.table_name,
        waiting.key_1,
        waiting.key_2,
        waiting.key_3,
        waiting.key_4,
        waiting.key_5,
        waiting.delivery_no,
        precaution.delivery_id as other_id
    from waiting
    inner join lake.precaution
        on
            waiting.key_1 = precaution.patient_key
            and waiting.key_2 = precaution.precaution_type
    where waiting.table_name = 'precaution' and precaution.accepted
),

later as (
    select
        same_key.delivery_id,
        same_key.file,
        same_key.row_number,
        same_key.table_name,
        same_key.key_1,
        same_key.key_2,
        same_key.key_3,
        same_key.key_4,
        same_key.key_5,
        delivery.delivery_no
    from same_key
    inner join delivery on same_key.other_id = delivery.delivery_id
    where delivery.delivery_no > same_key.delivery_no
),

taken_back as (
    select
        set_aside.delivery_id,
        set_aside.file,
        set_aside.row_number,
        set_aside.table_name,
        set_aside.key_1,
        set_aside.key_2,
        set_aside.key_3,
        set_aside.key_4,
        set_aside.key_5,
        delivery.delivery_no
    from set_aside
    inner join lake.withdrawal
        on
            set_aside.table_name = withdrawal.table_name
            and set_aside.key_1 = withdrawal.key_1
            and set_aside.key_2 = withdrawal.key_2
            and set_aside.key_3 = withdrawal.key_3
            and set_aside.key_4 = withdrawal.key_4
            and set_aside.key_5 = withdrawal.key_5
    inner join delivery on withdrawal.delivery_id = delivery.delivery_id
    where withdrawal.accepted and delivery.delivery_no >= set_aside.delivery_no
),

found as (
    select * from later
    union all
    select * from taken_back
),

answer as (
    select
        delivery_id,
        file,
        row_number,
        table_name,
        key_1,
        key_2,
        key_3,
        key_4,
        key_5,
        min(delivery_no) as answer_no
    from found
    group by delivery_id, file, row_number, table_name, key_1, key_2, key_3, key_4, key_5
),

judged as (
    select
        set_aside.delivery_id,
        set_aside.file,
        set_aside.row_number,
        set_aside.table_name,
        count(*) as key_count,
        count(answer.answer_no) as answered,
        max(answer.answer_no) as answer_no
    from set_aside
    left join answer
        on
            set_aside.delivery_id = answer.delivery_id
            and set_aside.file = answer.file
            and set_aside.row_number = answer.row_number
            and set_aside.table_name = answer.table_name
            and set_aside.key_1 = answer.key_1
            and set_aside.key_2 = answer.key_2
            and set_aside.key_3 = answer.key_3
            and set_aside.key_4 = answer.key_4
            and set_aside.key_5 = answer.key_5
    group by set_aside.delivery_id, set_aside.file, set_aside.row_number, set_aside.table_name
)

select
    judged.delivery_id,
    judged.file,
    judged.row_number,
    judged.table_name,
    delivery.delivery_id as corrected_by
from judged
inner join delivery on judged.answer_no = delivery.delivery_no
where judged.key_count = judged.answered
