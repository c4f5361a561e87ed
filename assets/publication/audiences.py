"""Who is given what: the one table that says so.

A page cannot hide data, so every audience has a bundle of its own. ``needlepoint docs`` writes the table to
AUDIENCES.md, and a test holds every written bundle to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Clinics(StrEnum):
    """Which clinics a bundle has rows about."""

    ALL = "all, by name"
    OWN = "its own by name; the others as unnamed points of the funnel, their sizes rounded to 25"
    NONE = "none about patients; how many rows break a check, by clinic"


@dataclass(frozen=True, slots=True)
class Audience:
    """One audience.

    ``readers`` says who they are, inside a sentence. ``profile`` is the disclosure profile of its numbers. ``tables``
    are the published tables it may have; one that is not named here is not in the bundle. ``one_per_clinic``: each
    clinic has a folder. ``has_run_log`` (with the audit trail: results by run, decisions, sign-offs),
    ``has_evidence_packs`` and ``has_suppression_log``: what else it is given; none of these is about outcomes.
    """

    name: str
    readers: str
    profile: str
    pages: tuple[str, ...]
    tables: frozenset[str]
    clinics: Clinics
    one_per_clinic: bool = False
    has_run_log: bool = False
    has_evidence_packs: bool = False
    has_suppression_log: bool = False


ABOUT_DATA = frozenset(
    (
        *("check_by_delivery", "check_summary", "conservation", "delivery_volume", "quarantine_by_reason"),
        *("number_source", "waiver_in_force", "withheld"),
    )
)
"""Deliveries, checks, and where numbers come from: counts of rows, not of patients."""
IN_WORDS = frozenset(
    (
        *("condition", "contrast", "definition", "evidence", "evidence_correction", "impact_band"),
        *("public_measure_definition", "responder_rule", "statistic"),
    )
)
"""Words and published literature: nobody's data."""
OUTCOMES = frozenset(
    (
        *("adverse_event_chart", "adverse_event_gap", "adverse_event_rate", "care_balance", "care_comparison"),
        *("care_mix", "case_mix_calibration", "case_mix_coefficient", "case_mix_model", "clinic", "clinic_adjusted"),
        *("clinic_funnel", "clinic_shrunken", "clinic_spread", "completion", "completion_sensitivity"),
        *("definition_sensitivity", "funnel_line", "measure_summary", "outcome_over_time", "outcome_signal"),
        *("pain_change", "precaution_exposure", "provider_gain", "public_measure", "recovery_by_condition"),
        *("recovery_curve", "recovery_time", "recovery_time_difference", "recovery_time_test"),
        *("regression_to_mean", "response", "response_band", "rom_change", "subgroup_outcome", "trajectory"),
        *("trajectory_model", "trial_effect", "twitch_difference", "twitch_outcome", "unknown_reason"),
    )
)
"""About patients. A new table is in no bundle until it is put into one of these lists."""
OF_DELIVERIES = frozenset(("check_by_delivery", "delivery_volume", "quarantine_by_reason"))
"""Tables in which a clinic would see the deliveries of the others."""

INTERNAL, PUBLIC = "internal", "public"
OUTCOME_PAGES = ("index", "recovery", "clinics", "scores", "safety")
WORD_PAGES = ("definitions", "numbers", "sources")
DIRECTORS_GUIDE, OPERATORS_GUIDES = "guide", ("runbook", "failures", "audit-guide")

AUDIENCES = (
    Audience(
        "network",
        "the directors of the network",
        INTERNAL,
        (*OUTCOME_PAGES, "quality", *WORD_PAGES, DIRECTORS_GUIDE),
        OUTCOMES | ABOUT_DATA | IN_WORDS,
        Clinics.ALL,
    ),
    Audience(
        "clinic",
        "one clinic",
        INTERNAL,
        (*OUTCOME_PAGES, *WORD_PAGES, DIRECTORS_GUIDE),
        OUTCOMES | ABOUT_DATA - OF_DELIVERIES | IN_WORDS,
        Clinics.OWN,
        one_per_clinic=True,
    ),
    Audience(
        "ops",
        "data engineers and quality teams",
        INTERNAL,
        ("quality", "runs", "definitions", "evidence", *OPERATORS_GUIDES),
        ABOUT_DATA | IN_WORDS,
        Clinics.NONE,
        has_run_log=True,
        has_evidence_packs=True,
        has_suppression_log=True,
    ),
    Audience(
        "public",
        "everybody",
        PUBLIC,
        ("index", "recovery", *WORD_PAGES),
        IN_WORDS | {"clinic", "number_source", "recovery_by_condition", "withheld"},
        Clinics.ALL,
    ),
)
"""In the order in which they are written."""
