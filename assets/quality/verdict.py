"""From check results to the fate of a delivery; a run and the pre-flight share it, so that they cannot differ."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assets.deliveries.drift import compare_scale
from assets.deliveries.ledger import State
from assets.quality.hold import BY_CHECK, holding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from assets.deliveries.ledger import Delivery, Ledger
    from assets.deliveries.profile import Profile
    from assets.quality.results import CheckResult


def judged(
    record: Delivery,
    results: Iterable[CheckResult],
    ledger: Ledger,
    profile: Profile,
    waived: Collection[str] = (),
) -> Delivery:
    """Return the record of a typed delivery as held, if a check or a change of scale holds it, else as accepted.

    ``waived`` are checks whose failure holds nothing back. A change of scale cannot be waived.
    """
    failed = holding(results, waived)
    if failed:
        names = ", ".join(result.check_id for result in failed)
        return replace(record, state=State.HELD, problem_code=BY_CHECK, problem=f"Held by {names}")
    scale = compare_scale(record, ledger, profile)
    record = replace(record, compared_with=scale.compared_with)
    drift = scale.problem(record.label)
    if drift:
        return replace(record, state=State.HELD, problem_code=drift.code, problem=str(drift))
    return replace(record, state=State.ACCEPTED, problem_code=None, problem=None)
