"""What holds a delivery or a release: failed blocking checks, less those that people have waived for a time.

A waived check stays failed. Days are those of the deliveries, their extract stamp or when they were landed, whatever is
later, and never that of the run: the same lake gives the same verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.audit.ledger import entries
from assets.deliveries.ledger import State
from assets.quality.results import Status
from assets.quality.thresholds import THRESHOLDS
from assets.quality.waivers import WAIVERS, Lifts, lifted_holds

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    import duckdb

    from assets.deliveries.ledger import Delivery
    from assets.home import Home
    from assets.quality.results import CheckResult

HISTORY = "history"
BY_CHECK = "CHECK"
"""The problem of a delivery that a check holds."""
DAY_LENGTH = 10
FAILED = f"""
select result.delivery_id, delivery.label, result.check_id
from audit.check_result as result
inner join lake.delivery as delivery on result.delivery_id = delivery.delivery_id
where result.is_latest and result.blocks and result.status = '{Status.FAIL.value}'
    and delivery.state = '{State.ACCEPTED.value}'
order by all
"""


def lifted(home: Home, delivery: Delivery | None = None) -> frozenset[str]:
    """Checks whose failure holds back nothing now: of a delivery that is being judged, or of the release.

    Raises:
        InputProblem: LEDGER or WAIVER: a line of the ledger cannot be used.

    """
    day = _day([*_accepted(home), *([delivery] if delivery else [])])
    return lifted_holds(WAIVERS.read(home.path), day, delivery.delivery_id if delivery else None)


def holding(results: Iterable[CheckResult], waived: Collection[str]) -> list[CheckResult]:
    """The results that hold; a check that could not be evaluated cannot be waived, for nobody knows what it finds."""
    return [one for one in results if one.holds and not (one.status is Status.FAIL and one.check_id in waived)]


def lapsed(connection: duckdb.DuckDBPyConnection, home: Home) -> list[tuple[str, str]]:
    """Label and check of accepted deliveries whose waiver has ended: what they were let in with holds the release."""
    waivers, day = WAIVERS.read(home.path), _day(_accepted(home))
    return [
        (label, check_id)
        for delivery_id, label, check_id in connection.execute(FAILED).fetchall()
        if check_id not in lifted_holds(waivers, day, delivery_id)
    ]


def to_judge_again(home: Home) -> tuple[tuple[Delivery, int], ...]:
    """Deliveries that a check holds and about which something was decided since, with the number of that entry."""
    found = entries(home.path)
    judged = {entry.body["delivery_id"]: entry.number for entry in found if entry.kind == HISTORY}
    decided = [
        (entry.number, entry.body.get("delivery_id"))
        for entry in found
        if entry.kind == THRESHOLDS.kind or (entry.kind == WAIVERS.kind and entry.body.get("lifts") == Lifts.HOLD)
    ]
    waiting = []
    for one in home.ledger.all():
        if one.state is State.HELD and one.problem_code == BY_CHECK:
            last = max((number for number, about in decided if about in (None, one.delivery_id)), default=0)
            if last > judged.get(one.delivery_id, 0):
                waiting.append((one, last))
    return tuple(waiting)


def _accepted(home: Home) -> list[Delivery]:
    return [delivery for delivery in home.ledger.all() if delivery.state is State.ACCEPTED]


def _day(deliveries: Sequence[Delivery]) -> str:
    """The latest day that any of them tells of, as 2026-12-31; empty without any."""
    return max((max(one.extract_stamp, one.landed_at)[:DAY_LENGTH] for one in deliveries), default="")
