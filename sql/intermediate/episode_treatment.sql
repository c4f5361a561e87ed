-- Each kind of treatment that an episode received, at how many sessions, whenever during care.
-- Kinds go together: an episode has one row for each of them. What was given late depends on how care went, so this
-- describes care and is no exposure to compare; care by the landmark day is (intermediate.episode).
-- grain: episode_no, treatment_class
with treatment as (
    select
        visit_key,
        treatment_class
    from staging.treatment
),

attended as (
    select
        visit_key,
        episode_no
    from intermediate.session
)

select
    attended.episode_no,
    treatment.treatment_class,
    count(*) as sessions
from treatment
inner join attended on treatment.visit_key = attended.visit_key
group by attended.episode_no, treatment.treatment_class
