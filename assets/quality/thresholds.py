"""Thresholds that people of a home decided: which check, how much it may find, who decided it and why.

They are entries of the ledger. The newest decision about a check counts; it replaces the number of
``assets/contract/thresholds.csv`` for deliveries and releases that are judged after it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, ValidationError

from assets.deliveries.problems import InputProblem
from assets.quality.decisions import SHORTEST_REASON, Decision, Decisions, Name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from assets.contract.checks import Kind

CODE = "THRESHOLD"
LARGEST_SHARE = 1.0


class ThresholdDecision(Decision):
    """One decision. ``value`` is a share of the evaluated rows, or for drift the largest score that is no alarm."""

    check_id: Name
    value: Annotated[float, Field(ge=0, allow_inf_nan=False)]


THRESHOLDS = Decisions("threshold", CODE, ThresholdDecision)


def new_threshold(
    check_id: str, *, value: float, by: str, because: str, now: datetime, known_checks: Mapping[str, Kind]
) -> ThresholdDecision:
    """Return a decision about one check.

    Raises:
        InputProblem: THRESHOLD: there is no such check, or a field cannot be used.

    """
    if check_id not in known_checks:
        raise InputProblem(CODE, "threshold", "no check has this name", "Names are in the check catalogue")
    if known_checks[check_id] != "drift" and value > LARGEST_SHARE:
        raise InputProblem(CODE, "threshold", "a share of rows is at most 1", "Give 0.02 for two in a hundred")
    try:
        return ThresholdDecision.model_validate(
            {"check_id": check_id, "value": value, "by": by, "because": because, "added": now}
        )
    except ValidationError as error:
        raise InputProblem(
            CODE,
            "threshold",
            THRESHOLDS.said(error),
            f"Give a number that is not negative, who, and a reason of at least {SHORTEST_REASON} characters",
        ) from None


def decided_thresholds(home: Path) -> dict[str, float]:
    """The numbers in force instead of those of the file, by check id.

    Raises:
        InputProblem: THRESHOLD or LEDGER, naming the line that cannot be used.

    """
    return {decision.check_id: decision.value for decision in THRESHOLDS.read(home)}


def thresholds_digest(decided: Mapping[str, float]) -> str:
    """What of the decisions a release depends on, as a hash; empty without decisions."""
    return hashlib.sha256(repr(sorted(decided.items())).encode()).hexdigest() if decided else ""
