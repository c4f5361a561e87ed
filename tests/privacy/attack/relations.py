"""What somebody who has read the code knows of the published tables: who is counted where, and what adds up.

Written from the descriptions of the tables, for the attack only; disclosure control has a list of its own, and the two
agree in nothing but the truth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assets.contract import CONTRACT
from assets.contract.model import Occasion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assets.contract.model import RecoveryDefinition

PLACE = {"condition_id": "", "clinic_key": "", "care": "any", "period": "all"}
"""Columns that place a group -> the text that stands for all."""
RECOVERED = "recovered {definition_id}"
OF_DEFAULT = f"recovered {CONTRACT.default_definition.definition_id}"


@dataclass(frozen=True, slots=True)
class Count:
    """A column that counts: who, as a name into which values of the row go, and in which rows it means that."""

    column: str
    who: str
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    care: str = "care"
    """The column that holds the care of the group, in tables that compare two."""
    clinic: str | None = "clinic_key"
    """None where the column is about all clinics although the row is about one."""
    is_size: bool = True
    """Whether the row is about these people, so that they are who must not be found."""


@dataclass(frozen=True, slots=True)
class Share:
    """A column with a share: of whom (with signs), among whom; and the columns with its Wilson limits."""

    column: str
    part: Mapping[str, int]
    whole: str
    limits: tuple[str, str] | None = None
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    clinic: str | None = "clinic_key"


WILSON = ("rate_low", "rate_high")
NONE_RECOVERED, ALL_RECOVERED = "rate_if_missing_none", "rate_if_missing_all"


def _looks_at(item: RecoveryDefinition) -> tuple[str, bool]:
    """What an outcome by a definition rests on: motion, and a score at discharge."""
    return item.rom_rule, item.occasion is Occasion.DISCHARGE


DEFINITIONS = {item.definition_id: item for item in CONTRACT.definitions}
DEFAULT = CONTRACT.default_definition
ALIKE = {
    name: next(other.definition_id for other in (DEFAULT, *CONTRACT.definitions) if _looks_at(other) == _looks_at(item))
    for name, item in DEFINITIONS.items()
}
"""Definition -> the one that looks at the same scores and knows the outcome of the same episodes."""
KNOWN = f"known {DEFAULT.definition_id}"
LOOK_LESS = [name for name in {*ALIKE.values()} if _looks_at(DEFINITIONS[name]) == ("none", False)]
LOOK_MORE = [name for name in {*ALIKE.values()} if _looks_at(DEFINITIONS[name]) == (DEFAULT.rom_rule, True)]
OF_RECOVERY = {"outcome_id": tuple(DEFINITIONS)}
OF_PAIN = {"outcome_id": ("pain_change",)}
IN_MONTHS = " in months"
CHARTED = {"recovered": KNOWN, "completeness": "eligible", "pain_change": "pairs"}
"""Series of the charts over time -> who is counted in them."""
CURVE = "of curve from {from_day}"
MEASURE = "{measure_id} {side} day {planned_day}"


def _recovery_shares(who: str) -> tuple[Share, ...]:
    return (
        Share("rate", {who: 1}, "known {alike}", WILSON),
        Share("completeness", {"known {alike}": 1}, "eligible"),
        Share(NONE_RECOVERED, {who: 1}, "eligible"),
        Share(ALL_RECOVERED, {who: 1, "eligible": 1, "known {alike}": -1}, "eligible"),
    )


def _clinic_sizes() -> tuple[Count, ...]:
    return (
        Count("n", "known {alike}", OF_RECOVERY),
        Count("eligible", "eligible", OF_RECOVERY),
        Count("network_n", "known {alike}", OF_RECOVERY, clinic=None),
        Count("n", "pairs", OF_PAIN),
        Count("eligible", "closed", OF_PAIN),
        Count("network_n", "pairs", OF_PAIN, clinic=None),
    )


COUNTS: Mapping[str, tuple[Count, ...]] = {
    "recovery_by_condition": (
        Count("n", "known {alike}"),
        Count("eligible", "eligible"),
        Count("recovered", RECOVERED, is_size=False),
    ),
    "clinic_funnel": _clinic_sizes(),
    "clinic_shrunken": _clinic_sizes(),
    "clinic_adjusted": (
        Count("known", "judged {outcome_id}"),
        Count("eligible", "to judge {outcome_id}"),
        Count("n", "covered {outcome_id}"),
        Count("not_covered", "not covered {outcome_id}"),
    ),
    "completion": (Count("n", "closed"), Count("captured", "captured {stage}", is_size=False)),
    "completion_sensitivity": (
        Count("n", "known {alike}"),
        Count("eligible", "eligible"),
        Count("recovered", OF_DEFAULT, is_size=False),
    ),
    "definition_sensitivity": (
        Count("n", "known {alike}"),
        Count("eligible", "eligible"),
        Count("recovered", RECOVERED, is_size=False),
    ),
    "clinic_spread": (
        Count("network_n", "known {alike}", OF_RECOVERY),
        Count("network_n", "pairs", OF_PAIN),
    ),
    "pain_change": (
        Count("n", "pairs"),
        Count("mcid_n", "with room"),
        Count("mcid_responders", "responded", is_size=False),
        Count("deteriorated", "band deteriorated", is_size=False),
    ),
    "rom_change": (Count("n", "motion pairs"),),
    "measure_summary": (Count("n", f"scores {MEASURE}"), Count("worsened", f"worsened {MEASURE}", is_size=False)),
    "response": (
        Count("n", f"could respond {MEASURE} {{rule_id}}"),
        Count("responders", f"responders {MEASURE} {{rule_id}}", is_size=False),
    ),
    "response_band": (Count("n", "banded"), Count("episodes", "band {band_id}", is_size=False)),
    "subgroup_outcome": (
        Count("episodes", "episodes"),
        Count("n", "known {alike}"),
        Count("eligible", "eligible"),
        Count("recovered", OF_DEFAULT, is_size=False),
        Count("pairs", "pairs"),
        Count("mcid_n", "with room"),
        Count("mcid_responders", "responded", is_size=False),
    ),
    "unknown_reason": (Count("n", "episodes"), Count("episodes", "unknown {reason}", is_size=False)),
    "outcome_over_time": tuple(
        Count("n", who, {"series": (series,), "time_unit": (unit,)})
        for series, of in CHARTED.items()
        for unit, who in (("year", of), ("month", f"{of}{IN_MONTHS}"))
    ),
    "recovery_curve": (
        Count("n", CURVE),
        Count("at_risk", f"at risk {CURVE} on {{day}}"),
        *(Count(f"{name}_so_far", f"{name} {CURVE} by {{day}}", is_size=False) for name in ("recovered", "left")),
        Count("censored_so_far", f"censored {CURVE} by {{day}}", is_size=False),
    ),
    "recovery_time": (
        Count("n", CURVE),
        *(Count(f"at_risk_{day}", f"at risk {CURVE} on {day}") for day in (28, 56, 84)),
    ),
    "recovery_time_difference": (
        Count("n", CURVE),
        Count("other_n", CURVE, care="other_care"),
        Count("at_risk_84", f"at risk {CURVE} on 84"),
        Count("other_at_risk_84", f"at risk {CURVE} on 84", care="other_care"),
    ),
    "recovery_time_test": (Count("n", CURVE), Count("other_n", CURVE, care="other_care")),
    "adverse_event_rate": (
        Count("sessions", "sessions {session_kind}", is_size=False),
        Count("patients", "patients {session_kind}"),
        Count("recorded_sessions", "asked sessions {session_kind}", is_size=False),
        Count("recorded_patients", "patients asked {session_kind}"),
        Count("event_sessions", "sessions with {event_type} {session_kind}", is_size=False),
        Count("event_patients", "patients with {event_type} {session_kind}"),
        Count("events", "events {event_type} {session_kind}", is_size=False),
        Count("unasked_events", "unasked {event_type} {session_kind}", is_size=False),
        Count("unasked_patients", "patients unasked {event_type} {session_kind}"),
    ),
    "precaution_exposure": (
        Count("clinic_patients", "patients"),
        Count("patients", "patients {precaution_type} {state}"),
        Count("needled_patients", "patients needled {precaution_type} {state}"),
        Count("answered_patients", "patients answered {precaution_type}"),
    ),
    "care_mix": (
        Count("episodes", "treated"),
        Count("with_class", "with {treatment_class}"),
        Count("needled", "needled"),
        Count("needled_with_class", "needled with {treatment_class}"),
    ),
    "case_mix_model": (
        Count("n", "model {outcome_id}"),
        Count("eligible", "model eligible {outcome_id}"),
        Count("events", "model events {outcome_id}"),
    ),
    "care_comparison": (
        Count("n_treated", "treated {contrast_id} {outcome_id}"),
        Count("n_control", "control {contrast_id} {outcome_id}"),
    ),
}

SHARES: Mapping[str, tuple[Share, ...]] = {
    "recovery_by_condition": _recovery_shares(RECOVERED),
    "completion_sensitivity": _recovery_shares(OF_DEFAULT),
    "subgroup_outcome": (
        *_recovery_shares(OF_DEFAULT),
        Share("pair_share", {"pairs": 1}, "episodes"),
        Share("mcid_rate", {"responded": 1}, "with room", ("mcid_low", "mcid_high")),
    ),
    "definition_sensitivity": (
        Share("rate", {RECOVERED: 1}, "known {alike}", WILSON),
        Share("network_rate", {RECOVERED: 1}, "known {alike}", clinic=None),
        Share("completeness", {"known {alike}": 1}, "eligible"),
    ),
    "clinic_funnel": (
        Share("value", {"recovered {outcome_id}": 1}, "known {alike}", only=OF_RECOVERY),
        Share("network", {"recovered {outcome_id}": 1}, "known {alike}", only=OF_RECOVERY, clinic=None),
        Share("completeness", {"known {alike}": 1}, "eligible", only=OF_RECOVERY),
        Share("completeness", {"pairs": 1}, "closed", only=OF_PAIN),
    ),
    "clinic_shrunken": (Share("value", {"recovered {outcome_id}": 1}, "known {alike}", only=OF_RECOVERY),),
    "completion": (Share("rate", {"captured {stage}": 1}, "closed", WILSON),),
    "pain_change": (
        Share("mcid_rate", {"responded": 1}, "with room", ("mcid_low", "mcid_high")),
        Share("deteriorated_rate", {"band deteriorated": 1}, "pairs"),
    ),
    "response": (
        Share("rate", {f"responders {MEASURE} {{rule_id}}": 1}, f"could respond {MEASURE} {{rule_id}}", WILSON),
    ),
    "response_band": (Share("share", {"band {band_id}": 1}, "banded", ("share_low", "share_high")),),
    "unknown_reason": (Share("share", {"unknown {reason}": 1}, "episodes"),),
    "care_mix": (
        Share("share", {"with {treatment_class}": 1}, "treated"),
        Share("needled_share", {"needled with {treatment_class}": 1}, "needled"),
    ),
    "precaution_exposure": (
        Share("needled_share", {"patients needled {precaution_type} {state}": 1}, "patients {precaution_type} {state}"),
        Share("answered_share", {"patients answered {precaution_type}": 1}, "patients"),
    ),
    "adverse_event_rate": (
        Share("recorded_share", {"asked sessions {session_kind}": 1}, "sessions {session_kind}"),
        Share(
            "event_share",
            {"sessions with {event_type} {session_kind}": 1},
            "asked sessions {session_kind}",
        ),
    ),
}

REASONS = ("no_baseline", "no_comparable_pair", "rom_not_measured", "still_open", "baseline_too_low")
BANDS = ("worse", "none", "minimal", "moderate", "substantial")
PRECAUTIONS = CONTRACT.table("precaution").column("precaution_type").allowed
STATES = ("yes", "no", "unknown", "not_asked")
EVENT_TYPES = CONTRACT.table("adverse_event").column("event_type").allowed
ADJUSTED = ("recovered", "pain_change", "function_change", "pain_points")
EQUAL: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("episodes", (KNOWN, *(f"unknown {reason}" for reason in REASONS))),
    ("eligible", (KNOWN, *(f"unknown {reason}" for reason in REASONS[:3]))),
    ("episodes", ("closed", "unknown still_open")),
    ("closed", ("eligible", "unknown baseline_too_low")),
    ("banded", tuple(f"band {band}" for band in BANDS)),
    *((f"judged {name}", (f"covered {name}", f"not covered {name}")) for name in ADJUSTED),
)
"""At every place: a count is the sum of others."""
LISTED: tuple[tuple[str, tuple[str, ...]], ...] = (
    *(("patients", tuple(f"patients {name} {state}" for state in STATES)) for name in PRECAUTIONS),
    *((f"patients answered {name}", tuple(f"patients {name} {state}" for state in STATES[:2])) for name in PRECAUTIONS),
    *(
        (f"{what} any {kind}", tuple(f"{what} {name} {kind}" for name in names))
        for what in ("events", "unasked")
        for kind in ("needling", "other")
        for names in (("any_minor", "any_major"), EVENT_TYPES)
    ),
)
"""The same where a part that nobody is in has no row."""
WITHIN = (
    *((known, "eligible") for known in {KNOWN, *(f"known {name}" for name in ALIKE.values())}),
    *((KNOWN, f"known {name}") for name in LOOK_LESS),
    *((f"known {name}", KNOWN) for name in LOOK_MORE),
    ("eligible", "closed"),
    ("closed", "episodes"),
    *((f"recovered {name}", f"known {alike}") for name, alike in ALIKE.items()),
    ("captured discharge", "captured baseline"),
    ("captured baseline", "closed"),
    ("captured motion", "closed"),
    ("captured follow_up", "closed"),
    ("with room", "pairs"),
    ("responded", "with room"),
    ("banded", "pairs"),
    ("pairs", "captured discharge"),
    ("band deteriorated", "band worse"),
    *((f"judged {name}", f"to judge {name}") for name in ADJUSTED),
    ("judged recovered", KNOWN),
    ("to judge recovered", "eligible"),
)
"""At every place: the first are among the second."""
AMONG = (
    ("worsened ", "scores "),
    ("responders ", "could respond "),
    ("patients needled ", "patients "),
    ("patients with ", "sessions with "),
    ("sessions with ", "events "),
)
"""The same for counts whose names begin so and end alike."""
SHRINKS = ("unknown", "censored", "not covered")
"""First words of counts that may fall while a clinic grows."""
NOT_ADDITIVE = ("patients",)
"""First words of counts of different people: who is in two groups counts once in their total."""
PARTITIONS = ("population", "symptom_duration")
"""Dimensions of subgroups in which every episode has one place."""
