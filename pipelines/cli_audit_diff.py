"""``needlepoint audit diff``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from pipelines.cli_options import HOME_OPTION, JSON_OPTION, say, set_home
from pipelines.settings import home_from_environment

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("first")
@click.argument("second")
@HOME_OPTION
@JSON_OPTION
def diff(first: str, second: str, home: Path | None, *, as_json: bool) -> None:
    """Say which published numbers moved from release FIRST to SECOND, and what moved them.

    Every number is split into late or corrected records, the new period, waivers and rebases, definitions and
    thresholds, and code; the parts sum to the whole. The page about it stays in the home.
    """
    from pipelines.release_diff import diff_releases  # noqa: PLC0415 each verb loads only what it needs

    set_home(home)
    found = diff_releases(home_from_environment(), first, second, say)
    click.echo(json.dumps(found.as_dict(), indent=1) if as_json else found.as_text())
