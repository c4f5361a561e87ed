"""``needlepoint upgrade``: a home that an earlier version of this program made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assets.deliveries.problems import InputProblem
from pipelines.cli_options import HOME_OPTION, JSON_OPTION, say, set_home
from pipelines.settings import home_from_environment

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = (
    "What could not be read again keeps the home from being used. Correct its profile and run this again, or give "
    "--refuse: then nothing of it is kept, and the next release is without it"
)


@click.command()
@HOME_OPTION
@click.option(
    "--refuse",
    "refuses",
    is_flag=True,
    help="Refuse for good what is refused under the contract as it is now: of it nothing is kept, raw files included.",
)
@JSON_OPTION
def upgrade(home: Path | None, *, refuses: bool, as_json: bool) -> None:
    """Bring a home that an earlier version made up to date.

    Deliveries that were read under an earlier contract are read again from their raw files. Make a copy of the home
    first.
    """
    from assets.home_format import upgrading  # noqa: PLC0415 each verb loads only what it needs
    from pipelines.outcome_text import say_outcome  # noqa: PLC0415
    from pipelines.upgrade import upgrade as bring_up_to_date  # noqa: PLC0415

    set_home(home)
    with upgrading():
        target = home_from_environment()
    if not target.lake.is_dir():
        raise InputProblem("HOME", str(target.path), "nothing was delivered here yet", "Name the home of your runs")
    outcome = bring_up_to_date(target, say, refuses=refuses)
    if not (outcome.read or outcome.known or outcome.failed):
        say("Nothing had to be read again: the home is that of this version")
    if outcome.failed:
        say(REFUSED)
    say_outcome(outcome, target.site / "index.html", as_json=as_json)
