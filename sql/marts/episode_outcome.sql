-- One row per episode: where it started, where it ended, and what that means.
-- 1. Pain at both ends by one measure (intermediate.episode_pain); change is positive when the patient is better.
-- 2. Responders: better by at least the MCID, by at least 30 and 50 percent (100 x change >= percent x baseline, in
--    exact arithmetic). Null for episodes that had no room to get better by that much: they are not in the denominator.
--    The MCID is that of the measure, or of condition and measure where the contract has switched these on.
-- 3. Worse by the points of the deterioration rule is reported beside every response. On 0 to 10 scales only.
-- 4. IMMPACT band: the one whose limits in percent of the baseline hold the change. Without a baseline above 0 there
--    are no percentages, only worse; so a change below 0 is held against 0.
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

responder_threshold as (
    select
        measure_id,
        max(case when rule_id = 'mcid' then threshold end) as mcid,
        max(case when rule_id = 'percent_30' then threshold end) as moderate_percent,
        max(case when rule_id = 'percent_50' then threshold end) as substantial_percent
    from reference.responder_rule
    group by measure_id
),

region_mcid as (
    select
        condition_id,
        measure_id,
        threshold
    from reference.region_mcid
),

impact_band as (
    select
        band_id,
        at_least_percent,
        below_percent
    from reference.impact_band
),

deterioration as (
    select value as deterioration_points
    from reference.parameter
    where name = 'deterioration_points'
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
        coalesce(region_mcid.threshold, responder_threshold.mcid) as mcid,
        responder_threshold.moderate_percent,
        responder_threshold.substantial_percent,
        deterioration.deterioration_points,
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
    cross join deterioration
    inner join recovery
        on episode.episode_key = recovery.episode_key and definition.definition_id = recovery.definition_id
    left join episode_pain on episode.episode_no = episode_pain.episode_no
    left join episode_rom on episode.episode_no = episode_rom.episode_no
    left join measure on episode_pain.measure_id = measure.measure_id
    left join responder_threshold on episode_pain.measure_id = responder_threshold.measure_id
    left join region_mcid
        on episode.condition_id = region_mcid.condition_id and episode_pain.measure_id = region_mcid.measure_id
),

evented as (
    select
        *,
        100 * change as hundredfold_change,
        case when baseline_value > 0 then baseline_value else 0 end as positive_baseline,
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
    evented.episode_key,
    evented.patient_key,
    evented.clinic_key,
    evented.therapist_key,
    evented.condition_id,
    evented.care,
    evented.arm,
    evented.population,
    evented.start_year,
    evented.discharge_reason,
    evented.is_closed,
    evented.measure_id,
    evented.baseline_value,
    evented.last_value,
    evented.change,
    case when evented.room >= evented.mcid then evented.change >= evented.mcid end as responder_mcid,
    case
        when evented.baseline_value > 0
            then evented.hundredfold_change >= evented.moderate_percent * evented.baseline_value
    end as responder_30,
    case
        when evented.baseline_value > 0
            then evented.hundredfold_change >= evented.substantial_percent * evented.baseline_value
    end as responder_50,
    case
        when evented.is_points then evented.last_value - evented.baseline_value >= evented.deterioration_points
    end as deteriorated,
    impact_band.band_id as immpact_band,
    evented.rom_baseline_permille,
    evented.rom_last_permille,
    evented.recovered,
    evented.unknown_reason,
    case evented.event_kind
        when 'recovered' then evented.recovery_day
        when 'left' then coalesce(evented.discharge_day, evented.last_visit_day)
        when 'open' then evented.last_visit_day
    end as event_day,
    evented.event_kind,
    evented.visit_count,
    evented.baseline_value is not null as baseline_captured,
    evented.last_value is not null as discharge_captured
from evented
left join impact_band
    on
        (evented.baseline_value > 0 or evented.change < 0)
        and (
            impact_band.at_least_percent is null
            or evented.hundredfold_change >= impact_band.at_least_percent * evented.positive_baseline
        )
        and (
            impact_band.below_percent is null
            or evented.hundredfold_change < impact_band.below_percent * evented.positive_baseline
        )
