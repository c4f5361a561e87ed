-- Whether each episode recovered, by each recovery definition.
-- 1. Open episodes, episodes without a usable baseline and those whose baseline leaves no room are unknown.
-- 2. The pain goal: held for some days, reached at discharge, or either (intermediate.pain_relief). No comparable score
--    near discharge: unknown, also where the goal was reached during care: else the outcome would decide who is
--    counted, and the rate would rise with the number of missing scores. A definition that looks at the discharge
--    visit alone needs a score at it: without one it is unknown too.
-- 3. The motion goal: the last primary motion is at least the reference minus the minimal detectable change (a missing
--    one counts as 0), or at least the share of the reference that the definition asks for.
-- 4. Motion not measured makes recovery unknown, not no, for definitions that look at it; also where the pain goal was
--    missed: else a clinic that never measures motion would show its failures only.
-- 5. The event day is that of the first of the two occasions, or of the discharge visit; open episodes that have
--    reached the goal have one too, though their final state is unknown.
-- 6. The two goals are shown each for itself: relief_day (null: not reached) and is_motion_reached (null: unknown).
-- Source: domain reference 4.1 and 4.2; recovery definitions in the contract.
-- grain: episode_key, definition_id
with episode as (
    select
        episode_no,
        episode_key,
        is_closed
    from intermediate.episode
),

episode_pain as (
    select
        episode_no,
        is_points,
        baseline_value,
        last_value
    from intermediate.episode_pain
),

episode_rom as (
    select
        episode_no,
        reference,
        mdc,
        last_value
    from intermediate.episode_rom
),

pain_relief as (
    select
        episode_no,
        pain_at_most,
        sustained_days,
        occasion,
        relief_day
    from intermediate.pain_relief
),

discharge_score as (
    select distinct episode_no
    from intermediate.pain_occasion
    where is_discharge
),

definition as (
    select
        definition_id,
        pain_at_most,
        rom_rule,
        rom_share_percent,
        sustained_days,
        occasion,
        counts_held
    from reference.definition
),

baseline_floor as (
    select value as baseline_must_exceed_points
    from reference.parameter
    where name = 'baseline_must_exceed_points'
),

judged as (
    select
        episode.episode_key,
        definition.definition_id,
        episode.is_closed,
        episode_pain.baseline_value,
        episode_pain.last_value,
        coalesce(episode_pain.is_points, false) as is_points,
        episode_pain.baseline_value > baseline_floor.baseline_must_exceed_points as has_room,
        definition.counts_held or discharge_score.episode_no is not null as is_occasion_scored,
        pain_relief.relief_day,
        case definition.rom_rule
            when 'none' then true
            when 'reference_minus_mdc' then episode_rom.last_value >= episode_rom.reference - episode_rom.mdc
            when 'share_of_reference'
                then
                    case
                        when episode_rom.reference > 0
                            then
                                100 * episode_rom.last_value
                                >= definition.rom_share_percent * episode_rom.reference
                    end
        end as is_motion_reached
    from episode
    cross join definition
    cross join baseline_floor
    left join episode_pain on episode.episode_no = episode_pain.episode_no
    left join episode_rom on episode.episode_no = episode_rom.episode_no
    left join pain_relief
        on
            episode.episode_no = pain_relief.episode_no
            and definition.pain_at_most = pain_relief.pain_at_most
            and definition.sustained_days = pain_relief.sustained_days
            and definition.occasion = pain_relief.occasion
    left join discharge_score on episode.episode_no = discharge_score.episode_no
),

explained as (
    select
        *,
        case
            when not is_closed then 'still_open'
            when baseline_value is null then 'no_baseline'
            when not is_points then 'no_comparable_pair'
            when not has_room then 'baseline_too_low'
            when last_value is null or not is_occasion_scored then 'no_comparable_pair'
            when is_motion_reached is null then 'rom_not_measured'
        end as unknown_reason
    from judged
)

select
    episode_key,
    definition_id,
    case
        when unknown_reason is not null then 'unknown'
        when relief_day is not null and is_motion_reached then 'yes'
        else 'no'
    end as recovered,
    unknown_reason,
    relief_day,
    is_motion_reached,
    case when has_room and is_points and is_motion_reached then relief_day end as event_day
from explained
