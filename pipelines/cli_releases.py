"""``needlepoint releases``: what is kept, going back to an earlier release, and dropping old ones."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import click

from assets.deliveries.problems import InputProblem
from pipelines.cli_options import HOME_OPTION, JSON_OPTION, say, set_home
from pipelines.settings import KEEP_VARIABLE, home_from_environment

if TYPE_CHECKING:
    from pathlib import Path

    from assets.home import Home

BY_OPTION = click.option("--by", required=True, help="Who answers for it.")
BECAUSE_OPTION = click.option("--because", required=True, help="Why.")
NOT_CHANGED = "Bundles that were made before are not changed: run `needlepoint publish`, and tell who has them"


@click.group()
def releases() -> None:
    """The releases that are kept: look at them, go back to one, drop old ones."""


@releases.command("list")
@HOME_OPTION
@JSON_OPTION
def list_releases(home: Path | None, *, as_json: bool) -> None:
    """Say which releases are kept, oldest first, and which is in force."""
    from assets.publication.release_list import listed  # noqa: PLC0415 each verb loads only what it needs

    set_home(home)
    found = listed(home_from_environment())
    if as_json:
        click.echo(json.dumps([one.as_dict() for one in found], indent=1))
        return
    for one in found:
        click.echo(one.line)
    if not found:
        click.echo("No release is kept.")


@releases.command()
@click.argument("release")
@HOME_OPTION
@JSON_OPTION
def show(release: str, home: Path | None, *, as_json: bool) -> None:
    """Say from what RELEASE was made, how its checks ended, and who signed it."""
    from assets.publication.release_list import listed  # noqa: PLC0415
    from assets.publication.rollback import must_be_kept  # noqa: PLC0415

    set_home(home)
    target = home_from_environment()
    must_be_kept(target, release)
    found = next(one for one in listed(target) if one.release == release)
    click.echo(json.dumps(found.as_dict(), indent=1) if as_json else found.text)


@releases.command()
@click.argument("release")
@HOME_OPTION
@BY_OPTION
@BECAUSE_OPTION
def rollback(release: str, home: Path | None, by: str, because: str) -> None:
    """Put RELEASE, one that is kept, back in force.

    Its pages say so. Runs go on reading deliveries, but release nothing until `needlepoint releases resume`, or until
    the newest release is put back in force.
    """
    from assets.publication.rollback import roll_back  # noqa: PLC0415
    from pipelines.one_writer import only_writer  # noqa: PLC0415

    set_home(home)
    target = _home_with_releases()
    with only_writer(target, "needlepoint releases rollback"):
        entry = roll_back(target, release, by=by, because=because, now=dt.datetime.now(dt.UTC))
    click.echo(f"Release {release} is in force. Entry {entry.number} of the ledger; its head: {entry.hash}")
    say(NOT_CHANGED)


@releases.command()
@HOME_OPTION
@BY_OPTION
@BECAUSE_OPTION
def resume(home: Path | None, by: str, because: str) -> None:
    """Let the next run release again after a roll-back."""
    from assets.publication.rollback import resume as let_release  # noqa: PLC0415
    from pipelines.one_writer import only_writer  # noqa: PLC0415

    set_home(home)
    target = _home_with_releases()
    with only_writer(target, "needlepoint releases resume"):
        entry = let_release(target, by=by, because=because, now=dt.datetime.now(dt.UTC))
    click.echo(f"The next run releases again. Entry {entry.number} of the ledger; its head: {entry.hash}")


@releases.command()
@HOME_OPTION
@click.option("--keep", type=click.IntRange(1), help=f"How many stay. Default: {KEEP_VARIABLE}.")
@BY_OPTION
@click.option("--dry-run", is_flag=True, help="Only say which would go.")
def prune(home: Path | None, keep: int | None, by: str, *, dry_run: bool) -> None:
    """Drop the oldest releases. The one in force, the newest, and those that these two follow always stay."""
    from assets.publication.retention import droppable  # noqa: PLC0415
    from assets.publication.retention import prune as drop  # noqa: PLC0415
    from pipelines.one_writer import only_writer  # noqa: PLC0415

    set_home(home)
    target = _home_with_releases()
    number = keep or target.keep_releases
    if dry_run:
        dropped = droppable(target, number)
    else:
        with only_writer(target, "needlepoint releases prune"):
            dropped = drop(target, number, by)
    for release in dropped:
        click.echo(f"{'Would drop' if dry_run else 'Dropped'} {release}")
    if not dropped:
        click.echo("Nothing to drop.")


def _home_with_releases() -> Home:
    home = home_from_environment()
    if not home.current.is_symlink():
        raise InputProblem("NO_RELEASE", str(home.path), "there is no release yet", "Run `needlepoint run` first")
    return home
