"""``needlepoint chart``: decisions about the charts over time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from assets.contract.charts import CHART_SERIES
from pipelines.cli_options import HOME_OPTION, set_home
from pipelines.settings import home_from_environment

if TYPE_CHECKING:
    from pathlib import Path


@click.group()
def chart() -> None:
    """Charts over time: decide from when their limits are set anew."""


@chart.command()
@HOME_OPTION
@click.option("--series", required=True, help=f"One of {', '.join(item.series_id for item in CHART_SERIES)}.")
@click.option("--condition", "condition_id", help="Only the chart of this condition. Default: that of all together.")
@click.option("--clinic", "clinic_key", help="Only the chart of this clinic. Default: that of all together.")
@click.option("--from", "from_period", required=True, help="First period of the new limits, as 2026-01 or 2026.")
@click.option("--because", required=True, help="What is known to have changed.")
@click.option("--by", required=True, help="Who answers for it.")
def rebase(
    home: Path | None,
    series: str,
    condition_id: str | None,
    clinic_key: str | None,
    from_period: str,
    because: str,
    by: str,
) -> None:
    """Set the limits of one chart anew from a period on; the earlier ones stay for the periods before it."""
    from pipelines.rebasing import decide  # noqa: PLC0415 each verb loads only what it needs

    set_home(home)
    decision = decide(
        home_from_environment(),
        series=series,
        condition_id=condition_id,
        clinic_key=clinic_key,
        from_period=from_period,
        by=by,
        because=because,
        now=dt.datetime.now(dt.UTC),
    )
    click.echo(f"Limits set anew from {decision.from_period}; it shows in the next release.")
