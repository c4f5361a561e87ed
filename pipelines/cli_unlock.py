"""``needlepoint unlock``: after a run was killed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from assets.deliveries.problems import InputProblem
from pipelines.cli_options import HOME_OPTION, JSON_OPTION, set_home
from pipelines.settings import home_from_environment

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@HOME_OPTION
@JSON_OPTION
def unlock(home: Path | None, *, as_json: bool) -> None:
    """Free what a killed run still holds; change nothing while a run is alive.

    The next `needlepoint run` does the same by itself. This is for the queue of Dagster's daemon.
    """
    from pipelines.runner import dagster_instance  # noqa: PLC0415 each verb loads only what it needs
    from pipelines.unlock import unlock as free  # noqa: PLC0415

    set_home(home)
    target = home_from_environment()
    if not target.dagster.is_dir():
        raise InputProblem("HOME", str(target.path), "nothing has run here yet", "Name the home of your runs")
    with dagster_instance(target) as instance:
        found = free(target, instance)
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=1))
        return
    for run in found.runs:
        click.echo(f"Freed what run {run} held; it is now said to have failed")
    for name in found.half_written:
        click.echo(f"Threw away {name}, which was half written")
    if not (found.runs or found.half_written):
        click.echo("Nothing was held")
