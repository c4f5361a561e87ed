"""A decision about the threshold of a check, held against the checks that this home has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract import CONTRACT
from assets.deliveries.state import extended_contract, settled_deliveries
from assets.quality.catalogue import all_checks
from assets.quality.thresholds import THRESHOLDS, ThresholdDecision, new_threshold

if TYPE_CHECKING:
    from datetime import datetime

    from assets.home import Home


def decide(home: Home, check_id: str, *, value: float, by: str, because: str, now: datetime) -> ThresholdDecision:
    """Record the decision in the home and return it.

    Raises:
        InputProblem: THRESHOLD or LEDGER: the decision cannot be used (see ``new_threshold``) or kept.

    """
    contract = extended_contract(CONTRACT, home.ledger, settled_deliveries(home.ledger))
    known = {check.check_id: check.kind for check in all_checks(contract)}
    decision = new_threshold(check_id, value=value, by=by, because=because, now=now, known_checks=known)
    THRESHOLDS.add(home.path, decision)
    return decision
