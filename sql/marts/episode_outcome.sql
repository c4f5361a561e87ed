-- One row per episode: where it started, where it ended, and what that means.
-- 1. Pain at both ends by one measure (intermediate.episode_pain); change is positive when the patient is better.
-- 2. Responders: improvement of at least the MCID, of at least 30 and 50 percent (10 x change >= 3 x baseline, in exact
--    arithmetic). Null for episodes that had no room to improve by that much: they are not in the denominator.
-- 3. Worse by at least 2 points is reported beside every response. On 0 to 10 scales only.
-- 4. IMMPACT band by percent change: worse < 0, none < 10, minimal < 30, moderate < 50, substantial from 50.
-- 5. Recovery by the default definition. Time to event: recovered on the event day; left (discharged without) on the
--    day of discharge or of the last visit; open (censored) at the last visit; unknown where motion was never measured
--    and recovery cannot be told. Null without a baseline that leaves room.
-- Source: domain reference 1.3, 4.1 to 4.4; Dworkin 2008 (IMMPACT bands).
-- grain: episode_key
with episode as (
    select
        episode_no,
        episode_key,
        patient_key,
        clinic_key,
        therapist_key,
        condition_id,
        care,
        arm,
        population,
        start_year,
        discharge_reason,
        is_closed,
        discharge_day,
        last_visit_day,
        visit_count
    from intermediate.episode
),

episode_pain as (
    select
        episode_no,
        measure_id,
        is_points,
        baseline_value,
        last_value
    from intermediate.episode_pain
),

episode_rom as (
    select
        episode_no,
        baseline_permille,
        last_permille
    from intermediate.episode_rom
),

recovery as (
    select
        episode_key,
        definition_id,
        recovered,
        unknown_reason,
        relief_day,
        is_motion_reached,
        event_day
    from marts.episode_recovery
),

definition as (
    select definition_id
    from reference.definition
    where is_default
),

measure as (
    select
        measure_id,
        better,
        low,
        high
    from reference.measure
),

mcid as (
    select
        measure_id,
        threshold
    from reference.responder_rule
    where rule_id = 'mcid'
),

baseline_floor as (
    select value as baseline_must_exceed_points
    from reference.parameter
    where name = 'baseline_must_exceed_points'
),

joined as (
    select
        episode.*,
        episode_pain.measure_id,
        episode_pain.is_points,
        episode_pain.baseline_value,
        episode_pain.last_value,
        case measure.better
            when 'lower' then episode_pain.baseline_value - episode_pain.last_value
            else episode_pain.last_value - episode_pain.baseline_value
        end as change,
        case measure.better
            when 'lower' then episode_pain.baseline_value - measure.low
            else measure.high - episode_pain.baseline_value
        end as room,
        mcid.threshold as mcid,
        episode_rom.baseline_permille as rom_baseline_permille,
        episode_rom.last_permille as rom_last_permille,
        recovery.recovered,
        recovery.unknown_reason,
        recovery.event_day as recovery_day,
        recovery.relief_day is not null as is_relieved,
        recovery.is_motion_reached is null as is_motion_unknown,
        coalesce(episode_pain.is_points, false)
        and episode_pain.baseline_value > baseline_floor.baseline_must_exceed_points as is_at_risk
    from episode
    cross join definition
    cross join baseline_floor
    inner join recovery
        on episode.episode_key = recovery.episode_key and definition.definition_id = recovery.definition_id
    left join episode_pain on episode.episode_no = episode_pain.episode_no
    left join episode_rom on episode.episode_no = episode_rom.episode_no
    left join measure on episode_pain.measure_id = measure.measure_id
    left join mcid on episode_pain.measure_id = mcid.measure_id
),

evented as (
    select
        *,
        case
            when not is_at_risk then null
            when recovery_day is not null then 'recovered'
            when is_motion_unknown and (is_closed or is_relieved) then 'unknown'
            when is_closed then 'left'
            else 'open'
        end as event_kind
    from joined
)

select
    episode_key,
    patient_key,
    clinic_key,
    therapist_key,
    condition_id,
    care,
    arm,
    population,
    start_year,
    discharge_reason,
    is_closed,
    measure_id,
    baseline_value,
    last_value,
    change,
    case when room >= mcid then change >= mcid end as responder_mcid,
    case when baseline_value > 0 then 10 * change >= 3 * baseline_value end as responder_30,
    case when baseline_value > 0 then 2 * change >= baseline_value end as responder_50,
    case when is_points then last_value - baseline_value >= 2 end as deteriorated,
    case
        when change < 0 then 'worse'
        when baseline_value <= 0 then null
        when 2 * change >= baseline_value then 'substantial'
        when 10 * change >= 3 * baseline_value then 'moderate'
        when 10 * change >= baseline_value then 'minimal'
        when change >= 0 then 'none'
    end as immpact_band,
    rom_baseline_permille,
    rom_last_permille,
    recovered,
    unknown_reason,
    case event_kind
        when 'recovered' then recovery_day
        when 'left' then coalesce(discharge_day, last_visit_day)
        when 'open' then last_visit_day
    end as event_day,
    event_kind,
    visit_count,
    baseline_value is not null as baseline_captured,
    last_value is not null as discharge_captured
from evented
