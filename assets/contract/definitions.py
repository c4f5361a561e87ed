"""Recovery definitions and responder rules, as data with versions.

No definition of recovery is accepted: 82 low-back-pain studies used 66 different measures (Kamper 2011).
So the definition in force stands beside every rate, and its variants are always computed with it.

Rule v1 in words: pain at most 1 on two occasions at least 7 days apart with none above 1 between, or at
the discharge visit; and the primary range of motion at least the reference minus its minimal detectable
change. Reference = the opposite side measured the same way within 14 days, if the condition is one-sided;
else the published normal value. Pain at baseline of 1 or less cannot recover: excluded and counted. Motion not
measured makes recovery unknown, not no.
"""

from __future__ import annotations

from assets.contract.model import RecoveryDefinition, ResponderRule

LANDMARK_DAY = 14
"""Care received is fixed by what was given up to this day: later exposure would count survivors (immortal time)."""

BASELINE_WINDOW_DAYS = 7
DISCHARGE_WINDOW_DAYS = 14
CONTRALATERAL_WINDOW_DAYS = 14
BASELINE_MUST_EXCEED_POINTS = 1
PLANNED_WINDOWS = ((28, 7), (56, 10), (84, 14))
"""Planned follow-up days and how far a score may lie from them, in days."""

DEFINITIONS = (
    RecoveryDefinition(
        "recovered_v1",
        1,
        "Recovered",
        "Pain of 1 or less out of 10, held for 7 days or at discharge, and range of motion back to within measurement "
        "error of normal.",
        1,
        "reference_minus_mdc",
        None,
        7,
        is_default=True,
    ),
    RecoveryDefinition(
        "pain_0",
        1,
        "No pain",
        "Pain of 0, held for 7 days or at discharge, and range of motion back to within measurement error of normal.",
        0,
        "reference_minus_mdc",
        None,
        7,
    ),
    RecoveryDefinition(
        "pain_2",
        1,
        "Pain of 2 or less",
        "Pain of 2 or less, held for 7 days or at discharge, and range of motion back to within measurement error of "
        "normal.",
        2,
        "reference_minus_mdc",
        None,
        7,
    ),
    RecoveryDefinition(
        "pain_only",
        1,
        "Pain only",
        "Pain of 1 or less, held for 7 days or at discharge; range of motion is not looked at.",
        1,
        "none",
        None,
        7,
    ),
    RecoveryDefinition(
        "rom_90",
        1,
        "Motion at 90% of normal",
        "Pain of 1 or less, held for 7 days or at discharge, and range of motion of at least 90% of normal.",
        1,
        "share_of_reference",
        90,
        7,
    ),
)

RESPONDER_RULES = (
    ResponderRule("mcid", "Improved by at least the MCID", "mcid", None, "mcid of each measure", construct="pain"),
    ResponderRule("percent_30", "Improved by 30% or more", "percent", 30, "Dworkin 2008 (IMMPACT)", construct="pain"),
    ResponderRule("percent_50", "Improved by 50% or more", "percent", 50, "Dworkin 2008 (IMMPACT)", construct="pain"),
)
