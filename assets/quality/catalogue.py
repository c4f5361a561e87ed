"""Every check there is, in one list: whatever shows, counts or explains checks reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.checks import Check, delivery_checks, release_checks

if TYPE_CHECKING:
    from assets.contract.model import Contract


def all_checks(contract: Contract) -> tuple[Check, ...]:
    """Every check: of deliveries, between them, of models, of statistics, and of published files."""
    by_table = (check for table in contract.tables for check in delivery_checks(contract, table))
    return (*by_table, *release_checks(contract))
