"""``needlepoint quarantine``: the rows that are set aside, one function per verb."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import click

from pipelines.cli_options import HOME_OPTION, JSON_OPTION, say, set_home
from pipelines.outcome_text import say_outcome
from pipelines.settings import home_from_environment

STATUSES = ("open", "corrected", "re_ingested", "waived", "expired")


@click.group()
def quarantine() -> None:
    """Rows that are set aside: list them, write fix lists, read them again, waive them."""


@quarantine.command(name="list")
@HOME_OPTION
@click.option("--status", "statuses", multiple=True, type=click.Choice(STATUSES), help="Only these. Default: all.")
@click.option("--clinic", help="Only rows of this clinic or delivery.")
@JSON_OPTION
def list_entries(home: Path | None, statuses: tuple[str, ...], clinic: str | None, *, as_json: bool) -> None:
    """Say what is set aside in the release in force, by clinic, delivery and check."""
    from pipelines.quarantine import quarantine_entries, summarise  # noqa: PLC0415 each verb loads only what it needs

    set_home(home)
    summary = summarise(quarantine_entries(home_from_environment(), statuses, clinic))
    click.echo(json.dumps(summary.as_dict(), indent=1) if as_json else summary.as_text())


@quarantine.command()
@HOME_OPTION
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the fix lists."
)
@click.option(
    "--with-values", "values", is_flag=True, help="Also what stands in the column: on the clinic's own machine only."
)
def export(home: Path | None, out: Path, *, values: bool) -> None:
    """Write one fix list for each clinic: file, row, column, rule, what to do."""
    from pipelines.quarantine import export_fix_lists  # noqa: PLC0415

    set_home(home)
    written = export_fix_lists(home_from_environment(), out, values=values, say=say)
    for path in written:
        click.echo(str(path))
    if not written:
        click.echo("Nothing waits to be corrected.")


@quarantine.command()
@click.argument("delivery_ids", nargs=-1)
@HOME_OPTION
@JSON_OPTION
def retry(delivery_ids: tuple[str, ...], home: Path | None, *, as_json: bool) -> None:
    """Read DELIVERY_IDS again under their profiles as they are now; without ids, all that have rows waiting."""
    from pipelines.runner import retry as retry_all  # noqa: PLC0415

    set_home(home)
    target = home_from_environment()
    say_outcome(retry_all(target, delivery_ids, say), target.site / "index.html", as_json=as_json)


@quarantine.command()
@click.argument("check_id")
@HOME_OPTION
@click.option("--by", required=True, help="Who answers for it.")
@click.option("--because", required=True, help="Why these rows need not be corrected.")
@click.option("--until", required=True, help="Last day it holds, as 2026-12-31.")
@click.option("--delivery", "delivery_id", help="Only this delivery.")
@click.option("--file", help="Only this file.")
@click.option("--row", "row_number", type=click.IntRange(1), help="Only this row of the file.")
def waive(
    check_id: str,
    home: Path | None,
    by: str,
    because: str,
    until: str,
    delivery_id: str | None,
    file: str | None,
    row_number: int | None,
) -> None:
    """Take rows that violate CHECK_ID off the fix list; they stay set aside."""
    from assets.quality.waivers import Lifts  # noqa: PLC0415
    from pipelines.waiving import waive as add  # noqa: PLC0415

    set_home(home)
    waiver = add(
        home_from_environment(),
        check_id,
        lifts=Lifts.TO_DO,
        by=by,
        because=because,
        until=until,
        now=dt.datetime.now(dt.UTC),
        delivery_id=delivery_id,
        file=file,
        row_number=row_number,
    )
    click.echo(f"Waived until {waiver.until}; it shows in the next release.")
