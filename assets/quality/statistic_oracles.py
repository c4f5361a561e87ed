"""What must hold between the statistics and the marts, and between tables of the statistics.

Each statistic is counted a second time, from episodes and not from the sums it was made of, or held against another
table that says the same.
"""

from __future__ import annotations

from itertools import pairwise

from assets.contract.checks import Kind, Stage
from assets.quality.oracles import Oracle, either_way, rows_of

DIGITS = "1e-6"
"""Means from exact sums and means of single rows differ by less."""
RECOVERY_GROUP = "care = 'any' and period = 'all'"


def _oracle(kind: Kind, table: str, name: str, title: str, sentence: str, violated: str, where: str = "") -> Oracle:
    relation = f"statistics.{table}"
    return Oracle(
        f"{relation}.{name}.{kind}",
        Stage.STATISTICS,
        kind,
        relation,
        title,
        sentence,
        violated,
        rows_of(relation, where),
    )


def _counted_again(table: str, name: str, what: str, shown: str, again: str, where: str = "") -> Oracle:
    """``shown`` and ``again`` are queries for the same groups and counts; groups of nobody may be in either."""
    return _oracle(
        Kind.AGREES,
        table,
        name,
        f"{what[:1].upper()}{what[1:]} counted again from the marts",
        f"{what[:1].upper()}{what[1:]} in {table} are as many as a count over single rows of the marts gives.",
        either_way(shown, again),
        where,
    )


def _steps(table: str, keys: str, up: tuple[str, ...], down: tuple[str, ...]) -> Oracle:
    """Numbers that only rise, or only fall, from one day to the next."""
    window = f"over (partition by {keys} order by day)"
    back = [f"{name} < lag({name}) {window} - 1e-9" for name in up]
    back += [f"{name} > lag({name}) {window} + 1e-9" for name in down]
    return _oracle(
        Kind.MONOTONE,
        table,
        "day",
        "Curves go one way only",
        f"From one day to the next {', '.join(up)} never fall and {', '.join(down)} never rise.",
        f"select {keys}, day\nfrom statistics.{table}\nqualify {' or '.join(back)}",
    )


def _in_order(table: str, keys: str, *rising: str) -> Oracle:
    """Columns of one row of which each is at most the next."""
    falls = " or ".join(f"{one} > {next_} + 1e-9" for one, next_ in pairwise(rising))
    return _oracle(
        Kind.MONOTONE,
        table,
        rising[0],
        f"{rising[0]} and what follows it are in order",
        f"In every row of {table}, {' <= '.join(rising)}.",
        f"select {keys}\nfrom statistics.{table}\nwhere {falls}",
    )


def _among(table: str, keys: str, *pairs: tuple[str, str]) -> Oracle:
    """Counts of a part and of those it is among."""
    more = " or ".join(f"{part} > {whole}" for part, whole in pairs)
    words = ", ".join(f"{part} <= {whole}" for part, whole in pairs)
    return _oracle(
        Kind.AMONG,
        table,
        pairs[0][0],
        f"No part of {table} is more than its whole",
        f"In every row of {table}, {words}.",
        f"select {keys}\nfrom statistics.{table}\nwhere {more}",
    )


def _difference(table: str, keys: str, *stated: tuple[str, str]) -> Oracle:
    """Numbers that are made of others in the same row: name and formula."""
    wrong = " or ".join(f"abs({name} - ({formula})) > {DIGITS}" for name, formula in stated)
    words = ", ".join(f"{name} = {formula}" for name, formula in stated)
    return _oracle(
        Kind.AGREES,
        table,
        stated[0][0],
        f"{stated[0][0]} of {table} is what it is made of",
        f"In every row of {table}, {words}.",
        f"select {keys}\nfrom statistics.{table}\nwhere {wrong}",
        f"{stated[0][0]} is not null",
    )


def _same_recovery(table: str, columns: str, where: str, definition: str) -> Oracle:
    """Rows of another table that say what ``recovery_by_condition`` says."""
    keys = "condition_id, clinic_key"
    return _oracle(
        Kind.AGREES,
        table,
        "recovery",
        f"{table} and recovery_by_condition say the same",
        f"{columns} of {table} are those of recovery_by_condition.",
        f"select {keys}\nfrom (\nselect {keys}{definition}, {columns} from statistics.{table} {where}\nexcept all\n"
        f"select {keys}{definition}, {columns} from statistics.recovery_by_condition\nwhere {RECOVERY_GROUP}"
        + (
            ""
            if definition
            else " and definition_id in (select definition_id from reference.definition where is_default)"
        )
        + "\n)",
    )


CLINIC_GROUPS = "condition_id, clinic_key"
CARE_GROUPS = "condition_id, contrast_id, outcome_id"
TIME_GROUPS = "condition_id, clinic_key, care, from_day"
CASE_MIX_GROUPS = "condition_id, clinic_key, outcome_id"
FUNNEL_GROUPS = "condition_id, outcome_id, clinic_key"

ORACLES: tuple[Oracle, ...] = (
    _counted_again(
        "recovery_by_condition",
        "known",
        "known and recovered episodes",
        "select condition_id, clinic_key, definition_id, n, recovered\nfrom statistics.recovery_by_condition\n"
        f"where {RECOVERY_GROUP} and condition_id is not null and clinic_key is not null and n > 0",
        "select condition_id, clinic_key, definition_id, count(*), count(*) filter (where recovered = 'yes')\n"
        "from marts.episode_recovery inner join intermediate.episode using (episode_key)\n"
        "where recovered <> 'unknown' and clinic_key is not null group by all",
        RECOVERY_GROUP,
    ),
    _counted_again(
        "recovery_by_condition",
        "care",
        "known episodes by care",
        "select care, definition_id, n, recovered\nfrom statistics.recovery_by_condition\n"
        "where condition_id is null and clinic_key is null and care <> 'any' and period = 'all' and n > 0",
        "select care, definition_id, count(*), count(*) filter (where recovered = 'yes')\n"
        "from marts.episode_recovery inner join intermediate.episode using (episode_key)\n"
        "where recovered <> 'unknown' group by all",
        "period = 'all'",
    ),
    _difference(
        "recovery_by_condition",
        "condition_id, clinic_key, care, period, definition_id",
        ("rate_if_missing_all", "(recovered + eligible - n) / eligible"),
    ),
    _counted_again(
        "pain_change",
        "pairs",
        "pairs of pain scores and responders",
        "select condition_id, n, mcid_responders from statistics.pain_change\n"
        "where condition_id is not null and clinic_key is null and care = 'any' and period = 'all' and n > 0",
        "select condition_id, count(*), count(*) filter (where responder_mcid) from marts.episode_outcome\n"
        "where is_closed and deteriorated is not null group by all",
    ),
    _oracle(
        Kind.AGREES,
        "pain_change",
        "mean",
        "The mean change in pain counted again from the marts",
        "change_mean of each condition is the mean over its closed episodes with pain at both ends.",
        "select condition_id\nfrom statistics.pain_change\ninner join (\n"
        "    select condition_id, cast(sum(change) as double) / count(*) as again\n"
        "    from marts.episode_outcome where is_closed and deteriorated is not null group by condition_id\n"
        ") using (condition_id)\n"
        f"where clinic_key is null and care = 'any' and period = 'all' and abs(change_mean - again) > {DIGITS}",
        "condition_id is not null and clinic_key is null and care = 'any' and period = 'all'",
    ),
    _difference("pain_change", "condition_id, clinic_key, care, period", ("change_mean", "baseline_mean - last_mean")),
    _among("pain_change", "condition_id, clinic_key, care, period", ("mcid_n", "n"), ("deteriorated", "n")),
    _counted_again(
        "unknown_reason",
        "reasons",
        "episodes with an unknown outcome",
        "select condition_id, clinic_key, reason, episodes from statistics.unknown_reason\n"
        "where condition_id is not null and clinic_key is not null and episodes > 0",
        "select condition_id, clinic_key, unknown_reason, count(*) from marts.episode_outcome\n"
        "where unknown_reason is not null and clinic_key is not null group by all",
    ),
    _counted_again(
        "response_band",
        "bands",
        "episodes by band of their change in pain",
        "select condition_id, band_id, episodes from statistics.response_band\n"
        "where condition_id is not null and clinic_key is null and care = 'any' and episodes > 0\n"
        "    and band_id in (select band_id from reference.impact_band)",
        "select condition_id, immpact_band, count(*) from marts.episode_outcome\n"
        "where is_closed and deteriorated is not null and immpact_band is not null group by all",
    ),
    _counted_again(
        "response",
        "responders",
        "responders and those who could respond",
        "select measure_id, planned_day, rule_id, n, responders from statistics.response\n"
        "where condition_id is null and care = 'any' and side is null and n > 0",
        "select measure_id, planned_day, rule_id, count(*), count(*) filter (where responder)\n"
        "from marts.measure_response where eligible and (planned_day is not null or is_closed) group by all",
    ),
    _counted_again(
        "measure_summary",
        "pairs",
        "pairs of scores",
        "select measure_id, planned_day, n from statistics.measure_summary\n"
        "where condition_id is null and care = 'any' and side is null and n > 0",
        "select measure_id, planned_day, count(*) from marts.measure_change\n"
        "where change is not null and (planned_day is not null or is_closed) group by all",
    ),
    _among("measure_summary", "condition_id, care, measure_id, side, planned_day", ("worsened", "n")),
    _counted_again(
        "recovery_curve",
        "events",
        "episodes followed and how they ended",
        "select condition_id, max(n), max(recovered_so_far) from statistics.recovery_curve\n"
        "where condition_id is not null and clinic_key is null and care = 'any' and n > 0 group by condition_id",
        "select condition_id, count(*), count(*) filter (where event_kind = 'recovered'\n"
        "    and event_day <= (select max(day) from statistics.recovery_curve))\n"
        "from marts.episode_outcome where event_day is not null group by condition_id",
    ),
    _steps(
        "recovery_curve",
        TIME_GROUPS,
        ("recovered_so_far", "left_so_far", "censored_so_far", "recovered_share", "left_share", "km_share"),
        ("at_risk",),
    ),
    _in_order("recovery_time", TIME_GROUPS, "recovered_share_28", "recovered_share_56", "recovered_share_84"),
    _in_order("recovery_time", TIME_GROUPS, "at_risk_84", "at_risk_56", "at_risk_28", "n"),
    _difference(
        "recovery_time_difference",
        "condition_id, care, other_care, from_day",
        ("difference", "days_recovered - other_days_recovered"),
    ),
    _counted_again(
        "completion",
        "captured",
        "closed episodes with a score at baseline and at discharge",
        "select condition_id, stage, n, captured from statistics.completion\n"
        "where condition_id is not null and clinic_key is null and care = 'any' and period = 'all'\n"
        "    and stage in ('baseline', 'discharge') and n > 0",
        "select condition_id, 'baseline', count(*), count(*) filter (where baseline_captured)\n"
        "from marts.episode_outcome where is_closed group by condition_id\nunion all\n"
        "select condition_id, 'discharge', count(*), count(*) filter (where discharge_captured)\n"
        "from marts.episode_outcome where is_closed group by condition_id",
    ),
    _same_recovery("completion_sensitivity", "n, recovered, eligible", "where n > 0", ""),
    _same_recovery("definition_sensitivity", "n, recovered, eligible", "where n > 0", ", definition_id"),
    _in_order("clinic_funnel", FUNNEL_GROUPS, "low_998", "low_95", "high_95", "high_998"),
    _in_order("funnel_line", "condition_id, outcome_id, at_n", "widened_low_998", "widened_low_95", "widened_high_95"),
    _among("clinic_funnel", FUNNEL_GROUPS, ("n", "network_n"), ("n", "eligible")),
    _among("clinic_shrunken", FUNNEL_GROUPS, ("n", "network_n"), ("n", "eligible")),
    _difference("clinic_adjusted", CASE_MIX_GROUPS, ("difference", "observed - expected")),
    _in_order("clinic_adjusted", CASE_MIX_GROUPS, "action_low", "limit_low", "limit_high", "action_high"),
    _among("case_mix_model", "condition_id, outcome_id", ("events", "n"), ("n", "eligible")),
    _difference(
        "care_comparison",
        CARE_GROUPS,
        ("difference", "treated_mean - control_mean"),
        ("adjusted_difference", "adjusted_treated - adjusted_control"),
    ),
    _oracle(
        Kind.BOUNDED,
        "care_comparison",
        "adjusted",
        "Adjusted outcomes are such as patients can have",
        "Adjusted shares lie between 0 and 1, adjusted changes in pain between -10 and 10, and the groups analysed are "
        "not larger than those compared.",
        f"select {CARE_GROUPS}\nfrom statistics.care_comparison\n"
        "where (outcome_id = 'pain_change' and (abs(adjusted_treated) > 10 or abs(adjusted_control) > 10))\n"
        "    or (outcome_id in ('recovered', 'responder_mcid')\n"
        "        and (least(adjusted_treated, adjusted_control) < 0\n"
        "            or greatest(adjusted_treated, adjusted_control) > 1))\n"
        "    or analysed_treated > n_treated or analysed_control > n_control",
        "adjusted_difference is not null",
    ),
    _difference("twitch_difference", "condition_id, outcome, quantity", ("difference", "yes - no")),
    _among("twitch_outcome", "condition_id, outcome, twitch", ("mcid_patients", "pair_patients"), ("pairs", "units")),
    _among("regression_to_mean", "condition_id", ("selected_pairs", "selected"), ("selected", "n")),
    _among("care_mix", "condition_id, treatment_class", ("needled_with_class", "with_class"), ("needled", "episodes")),
    _among(
        "precaution_exposure",
        "clinic_key, precaution_type, state",
        ("needled_patients", "patients"),
        ("answered_patients", "clinic_patients"),
    ),
    _among(
        "adverse_event_rate",
        "clinic_key, session_kind, event_type",
        ("recorded_sessions", "sessions"),
        ("recorded_patients", "patients"),
        ("event_patients", "event_sessions"),
        ("event_sessions", "events"),
        ("event_sessions", "recorded_sessions"),
    ),
    _counted_again(
        "adverse_event_rate",
        "sessions",
        "sessions, and unwanted events at those asked at",
        "select session_kind, sessions, events from statistics.adverse_event_rate\n"
        "where clinic_key is null and event_type = 'any' and sessions > 0",
        "select case when is_needled then 'needling' else 'other' end, count(distinct visit_key),\n"
        "    count(event_type) filter (where is_recorded)\n"
        "from intermediate.session left join staging.adverse_event using (visit_key) group by all",
    ),
    _oracle(
        Kind.PARTS,
        "adverse_event_rate",
        "event_type",
        "Kinds of events make all events, and so do severities",
        "events of the kinds, and of the minor and the major, add up to the events of any kind.",
        "select clinic_key, session_kind\nfrom statistics.adverse_event_rate\ngroup by clinic_key, session_kind\n"
        "having sum(events) filter (where event_type = 'any')\n"
        "    <> sum(events) filter (where event_type in ('any_minor', 'any_major'))\n"
        "    or sum(events) filter (where event_type = 'any')\n"
        "    <> sum(events) filter (where event_type not in ('any', 'any_minor', 'any_major'))",
    ),
    _oracle(
        Kind.PARTS,
        "subgroup_outcome",
        "subgroup",
        "Subgroups make the whole",
        "known and recovered episodes of the populations, and of the durations of symptoms, add up to those of "
        "recovery_by_condition.",
        "select condition_id, dimension\nfrom (\n"
        "    select condition_id, dimension, sum(n) as n, sum(recovered) as yes\n"
        "    from statistics.subgroup_outcome\n    where dimension in ('population', 'symptom_duration')\n"
        "    group by condition_id, dimension\n)\nleft join (\n"
        "    select condition_id, n as whole, recovered as whole_yes\n"
        f"    from statistics.recovery_by_condition\n    where {RECOVERY_GROUP} and clinic_key is null\n"
        "        and definition_id in (select definition_id from reference.definition where is_default)\n"
        ") as whole using (condition_id)\nwhere n <> whole or yes <> whole_yes",
        "dimension in ('population', 'symptom_duration')",
    ),
    _counted_again(
        "quarantine_by_reason",
        "rows",
        "rows in quarantine",
        "select table_name, check_id, reason, rows from statistics.quarantine_by_reason",
        "select table_name, check_id, reason, count(*) from audit.quarantine\n"
        "where status <> 're_ingested' group by all",
    ),
    _counted_again(
        "conservation",
        "rows",
        "rows of deliveries",
        "select delivery_id, ingested, accepted, quarantined, superseded, rejected from statistics.conservation",
        "select delivery_id, ingested, accepted, quarantined, superseded, rejected from audit.conservation",
    ),
)
