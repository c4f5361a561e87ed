-- Patients who were taken back: what hangs on them is superseded with them, not an orphan.
-- 1. Only looked up for rows whose patient is not current; a patient who was said again later is.
-- grain: patient_key
select key_1 as patient_key
from staging.withdrawal
where table_name = 'patient'
