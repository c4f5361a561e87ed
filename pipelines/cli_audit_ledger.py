"""``needlepoint audit``: the ledger, waivers of what is held, sign-off, and proof that nothing was changed."""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import TYPE_CHECKING

import click

from assets.audit.ledger import KINDS, entries
from assets.audit.sign_off import Verdict
from pipelines.cli_options import HOME_OPTION, JSON_OPTION, set_home
from pipelines.settings import home_from_environment

if TYPE_CHECKING:
    from pathlib import Path

SHORTEST_HEAD = 12
BY_OPTION = click.option("--by", required=True, help="Who answers for it.")


@click.command()
@HOME_OPTION
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only these. Default: all.")
@JSON_OPTION
def log(home: Path | None, kinds: tuple[str, ...], *, as_json: bool) -> None:
    """Say what was decided and sealed, oldest first."""
    set_home(home)
    found = [entry for entry in entries(home_from_environment().path) if not kinds or entry.kind in kinds]
    if as_json:
        click.echo(json.dumps([json.loads(entry.line) for entry in found], indent=1))
        return
    for entry in found:
        said = "; ".join(
            f"{name} {value}" for name, value in entry.body.items() if isinstance(value, str | int | float)
        )
        click.echo(f"{entry.number:,} {entry.at} {entry.kind}{f' by {entry.by}' if entry.by else ''}: {said}")
    if not found:
        click.echo("Nothing was decided or sealed.")


@click.command()
@click.argument("check_id")
@HOME_OPTION
@BY_OPTION
@click.option("--because", required=True, help="Why what it finds may pass.")
@click.option("--until", required=True, help="Last day it holds, as 2026-12-31.")
@click.option("--delivery", "delivery_id", help="Only this delivery.")
def waive(check_id: str, home: Path | None, by: str, because: str, until: str, delivery_id: str | None) -> None:
    """Let deliveries and releases pass although CHECK_ID, which holds them, fails.

    The check stays failed and is shown as waived. Rows that are set aside are waived with `needlepoint quarantine
    waive`.
    """
    from assets.quality.waivers import Lifts  # noqa: PLC0415 each verb loads only what it needs
    from pipelines.waiving import waive as add  # noqa: PLC0415

    set_home(home)
    waiver = add(
        home_from_environment(),
        check_id,
        lifts=Lifts.HOLD,
        by=by,
        because=because,
        until=until,
        now=dt.datetime.now(dt.UTC),
        delivery_id=delivery_id,
    )
    click.echo(f"Holds nothing back until {waiver.until}; what it held is judged again in the next run.")


@click.command()
@click.argument("release")
@HOME_OPTION
@BY_OPTION
@click.option(
    "--decision", required=True, type=click.Choice([one.value for one in Verdict]), help="Whether it is taken."
)
@click.option("--note", required=True, help="What was looked at and found.")
def sign(release: str, home: Path | None, by: str, decision: str, note: str) -> None:
    """Sign RELEASE, one that is kept: take it, or not."""
    from assets.audit.sign_off import sign as put  # noqa: PLC0415

    set_home(home)
    now = dt.datetime.now(dt.UTC)
    entry = put(home_from_environment(), release, decision=Verdict(decision), by=by, note=note, now=now)
    click.echo(f"Signed as entry {entry.number}. Head of the ledger: {entry.hash}")


@click.command()
@HOME_OPTION
@click.option(
    "--head", help="A head of the ledger from before, whole or its beginning, as a pack or a signature has it."
)
@JSON_OPTION
def verify(home: Path | None, head: str | None, *, as_json: bool) -> None:
    """Recompute every hash of the ledger, the history, the kept releases and packs, and the deliveries.

    A chain of hashes cannot show that lines were cut off its end: give it a head that you keep elsewhere.
    """
    from assets.audit.verify import verify as recompute  # noqa: PLC0415

    if head is not None and len(head) < SHORTEST_HEAD:
        message = f"--head needs at least {SHORTEST_HEAD} characters of the hash"
        raise click.UsageError(message)
    set_home(home)
    verdict = recompute(home_from_environment(), head)
    click.echo(json.dumps(verdict.as_dict(), indent=1) if as_json else verdict.as_text())
    sys.exit(1 if verdict.broken else 0)
