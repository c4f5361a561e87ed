"""From check results to the fate of a delivery; a run and the pre-flight share it, so that they cannot differ."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assets.deliveries.ledger import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assets.deliveries.ledger import Delivery
    from assets.quality.results import CheckResult


def judged(record: Delivery, results: Iterable[CheckResult]) -> Delivery:
    """Return the record of a typed delivery as held, if a check holds it, else as accepted."""
    failed = [result for result in results if result.holds]
    return replace(
        record,
        state=State.HELD if failed else State.ACCEPTED,
        problem_code="CHECK" if failed else None,
        problem=f"Held by {', '.join(result.check_id for result in failed)}" if failed else None,
    )
