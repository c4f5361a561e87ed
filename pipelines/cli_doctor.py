"""``needlepoint doctor``: what is wrong with an installation."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.cli_options import HOME_OPTION, JSON_OPTION, set_home

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@HOME_OPTION
@JSON_OPTION
def doctor(home: Path | None, *, as_json: bool) -> None:
    """Say what is wrong with this installation and what to do; change nothing. Ends with 1 if something is wrong."""
    from pipelines.doctor import examine  # noqa: PLC0415 each verb loads only what it needs
    from pipelines.doctor_findings import Verdict  # noqa: PLC0415

    set_home(home)
    found = examine()
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
    else:
        for one in found:
            click.echo(str(one))
    sys.exit(1 if any(one.verdict is Verdict.WRONG for one in found) else 0)
