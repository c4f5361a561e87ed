"""Brings a home of an earlier version up to date: its deliveries are read again from their raw files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.deliveries.ledger import State
from assets.home_format import older, upgrading, write_format
from pipelines.dagster_settings import renew_settings
from pipelines.one_writer import only_writer
from pipelines.outcome import RunOutcome
from pipelines.runner import retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from assets.home import Home


def upgrade(home: Home, say: Callable[[str], None], *, refuses: bool = False) -> RunOutcome:
    """Read again what was read under an earlier contract, and build a release from it.

    What is refused under the contract as it is now keeps its reading, and the home stays as it was: nothing is released
    from it, and the outcome says what is wrong. With ``refuses`` it is refused for good, and nothing of it is kept.
    Settings of Dagster that an earlier version wrote and nobody changed are replaced by those of this one.
    Interrupted, it goes on where it was when it is called again.

    Raises:
        InputProblem: the call cannot be carried out; nothing was changed.

    """
    outcome = RunOutcome()
    with upgrading():
        deliveries = home.ledger.all()
        if older(deliveries):
            usable = [one.delivery_id for one in deliveries if one.state is not State.REJECTED]
            outcome = retry(home, usable, say, keeps_refused=not refuses)
    with only_writer(home, "needlepoint upgrade"):
        if renew_settings(home):
            say("The settings of Dagster are those of this version now: start its daemon and web server again")
    if not older(home.ledger.all()):
        home.create()
        write_format(home)
    return outcome
