"""Which counts add up along which coordinate.

Episodes, sessions and events belong to one condition, one clinic, one kind of care and one year. Patients do not: one
of two clinics is counted in each and once in all. Tables that leave out rows for another reason than that nobody is
in them are not here.
"""

from __future__ import annotations

CONDITION, CLINIC, CARE, PERIOD, SIDE = "condition_id", "clinic_key", "care", "period", "side"
_PAIN = ("n", "mcid_n", "mcid_responders", "deteriorated")
_RECOVERY = ("n", "recovered", "eligible")
_CURVE = ("n", "at_risk", "recovered_so_far", "left_so_far", "censored_so_far")
_TIME = ("n", "at_risk_28", "at_risk_56", "at_risk_84")
_SUBGROUP = ("episodes", "n", "recovered", "eligible", "pairs", "mcid_n", "mcid_responders")
_SESSIONS = ("sessions", "recorded_sessions", "event_sessions", "events", "unasked_events")
_EXCLUDED = ("eligible", "reported", "under_age", "age_missing", "no_room", "no_first_score", "no_last_score")

MARGINS: dict[str, dict[str, tuple[str, ...]]] = {
    "adverse_event_rate": {CLINIC: _SESSIONS},
    # not "episodes" and "needled": a condition in which nobody had a class has no row of it to add to the whole
    "care_mix": {CONDITION: ("with_class", "sessions", "needled_with_class")},
    "clinic_funnel": {CONDITION: ("n", "eligible")},
    "completion": dict.fromkeys((CONDITION, CLINIC), ("n", "captured")),
    "completion_sensitivity": dict.fromkeys((CONDITION, CLINIC), _RECOVERY),
    "definition_sensitivity": dict.fromkeys((CONDITION, CLINIC), _RECOVERY),
    "measure_summary": dict.fromkeys((CONDITION, CARE, SIDE), ("n", "worsened")),
    "pain_change": dict.fromkeys((CONDITION, CLINIC, CARE, PERIOD), _PAIN),
    "precaution_exposure": {CLINIC: ("needling_sessions",)},
    "public_measure": {CLINIC: _EXCLUDED},
    "recovery_by_condition": dict.fromkeys((CONDITION, CLINIC, CARE, PERIOD), _RECOVERY),
    "recovery_curve": dict.fromkeys((CONDITION, CLINIC), _CURVE),
    "recovery_time": dict.fromkeys((CONDITION, CLINIC), _TIME),
    "response": dict.fromkeys((CONDITION, CARE, SIDE), ("n", "responders")),
    "response_band": dict.fromkeys((CONDITION, CLINIC, CARE), ("n", "episodes")),
    "rom_change": dict.fromkeys((CONDITION, CLINIC, CARE, PERIOD), ("n",)),
    "subgroup_outcome": {CONDITION: _SUBGROUP},
    "twitch_outcome": {CONDITION: ("units", "pairs", "mcid_n", "mcid_responders")},
    "unknown_reason": dict.fromkeys((CONDITION, CLINIC), ("n", "episodes")),
}
