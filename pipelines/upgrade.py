"""Brings a home of an earlier version up to date: its deliveries are read again from their raw files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.home_format import older, upgrading, write_format
from pipelines.runner import RunOutcome, retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from assets.home import Home


def upgrade(home: Home, say: Callable[[str], None]) -> RunOutcome:
    """Read again what was read under an earlier contract, and build a release from it.

    What cannot be read under the contract as it is now keeps its reading, and the home stays as it was: nothing is
    released from it, and the outcome says what is wrong. Interrupted, it goes on where it was when it is called again.

    Raises:
        InputProblem: the call cannot be carried out; nothing was changed.

    """
    outcome = RunOutcome()
    with upgrading():
        wanted = [delivery.delivery_id for delivery in older(home.ledger.all())]
        if wanted:
            outcome = retry(home, wanted, say)
    if not older(home.ledger.all()):
        home.create()
        write_format(home)
    return outcome
