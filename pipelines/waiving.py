"""Waivers: of rows that are set aside, and of checks that hold deliveries or releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract import CONTRACT
from assets.contract.check_kinds import Stage
from assets.deliveries.problems import InputProblem
from assets.deliveries.state import extended_contract, settled_deliveries
from assets.quality.catalogue import all_checks
from assets.quality.waivers import WAIVERS, Lifts, Waiver, new_waiver

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from assets.contract.checks import Check
    from assets.home import Home

DOES: dict[Lifts, Callable[[Check], bool]] = {
    Lifts.TO_DO: lambda check: check.sets_aside,
    Lifts.HOLD: lambda check: check.blocks and check.stage is not Stage.PUBLISHED,
}
"""What a check must do for a waiver to lift it. What is wrong with written files is mended, never waived."""


def waive(
    home: Home,
    check_id: str,
    *,
    lifts: Lifts,
    by: str,
    because: str,
    until: str,
    now: datetime,
    delivery_id: str | None = None,
    file: str | None = None,
    row_number: int | None = None,
) -> Waiver:
    """Add a waiver; it takes effect in the next release.

    Raises:
        InputProblem: WAIVER: something about it cannot be used. DELIVERY: the delivery is not known.

    """
    if delivery_id is not None and home.ledger.find(delivery_id) is None:
        raise InputProblem("DELIVERY", "waiver", "no delivery has this id", "Ids are in `needlepoint quarantine list`")
    contract = extended_contract(CONTRACT, home.ledger, settled_deliveries(home.ledger))
    waiver = new_waiver(
        check_id,
        lifts=lifts,
        by=by,
        because=because,
        until=until,
        now=now,
        known_checks=(check.check_id for check in all_checks(contract) if DOES[lifts](check)),
        delivery_id=delivery_id,
        file=file,
        row_number=row_number,
    )
    WAIVERS.add(home.path, waiver)
    return waiver
