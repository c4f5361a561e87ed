"""``needlepoint audit``: how checks stand, what they said over time, and their thresholds; one function per verb."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import click

from dashboards.words import plural
from pipelines.cli_options import HOME_OPTION, JSON_OPTION, set_home
from pipelines.settings import home_from_environment

if TYPE_CHECKING:
    from pathlib import Path

    from assets.audit.status import Standing
    from assets.audit.what_if import Moved, WhatIf

LISTED = 20
"""Deliveries and releases that are named one by one; JSON has all."""
LIMITS = (
    "No data were read again. A rule sets the same rows aside whatever its threshold is, and what checks after a hold "
    "would have said is not known."
)


@click.command()
@HOME_OPTION
@JSON_OPTION
def status(home: Path | None, *, as_json: bool) -> None:
    """Say how the checks of the release in force ended, and what is held back since."""
    from assets.audit.history import readable  # noqa: PLC0415 each verb loads only what it needs
    from assets.audit.status import status as standing  # noqa: PLC0415

    set_home(home)
    with readable():
        found = standing(home_from_environment())
    click.echo(json.dumps(found.as_dict(), indent=1) if as_json else "\n".join(_status_lines(found)))


@click.command(name="what-if")
@HOME_OPTION
@click.option("--check", "check_ids", multiple=True, required=True, help="Whose threshold; may be given again.")
@click.option(
    "--threshold", "values", multiple=True, required=True, type=click.FloatRange(0), help="One for each --check."
)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="First day that counts. Default: the whole history.")
@JSON_OPTION
def what_if(
    home: Path | None,
    check_ids: tuple[str, ...],
    values: tuple[float, ...],
    since: dt.datetime | None,
    *,
    as_json: bool,
) -> None:
    """Say what other thresholds would have done to every run there was; nothing runs again."""
    from assets.audit.history import history, readable  # noqa: PLC0415
    from assets.audit.what_if import what_if as judge  # noqa: PLC0415

    if len(check_ids) != len(values) or len(set(check_ids)) != len(check_ids):
        message = "Give one --threshold for each --check, and each check once."
        raise click.UsageError(message)
    set_home(home)
    found = history(home_from_environment())
    with readable():
        told = judge(found, dict(zip(check_ids, values, strict=True)), since.date() if since else None)
    click.echo(json.dumps(told.as_dict(), indent=1) if as_json else "\n".join(_what_if_lines(told)))


@click.command()
@click.argument("check_id")
@HOME_OPTION
@click.option("--value", required=True, type=float, help="Share of rows that may violate it; for drift, a score.")
@click.option("--by", required=True, help="Who answers for it.")
@click.option("--because", required=True, help="Why this is the right number.")
def threshold(check_id: str, home: Path | None, value: float, by: str, because: str) -> None:
    """Decide how much CHECK_ID may find; try it with what-if first."""
    from pipelines.thresholds import decide  # noqa: PLC0415

    set_home(home)
    decision = decide(
        home_from_environment(), check_id, value=value, by=by, because=because, now=dt.datetime.now(dt.UTC)
    )
    click.echo(f"From now on {decision.check_id} is judged with {decision.value:g}; earlier results stay as they are.")


def _status_lines(found: Standing) -> list[str]:
    from assets.audit.status import applied, passed  # noqa: PLC0415

    if found.release is None:
        return ["Nothing was released yet.", *filter(None, [found.held])]
    head = f"Release {found.release} is in force"
    if found.judged_at:
        before, written = (f"{passed(one):,} of {applied(one):,}" for one in (found.counts, found.written))
        lines = [
            f"{head}, judged at {found.judged_at}: {before} data checks passed, {written} of the written files.",
            ", ".join(f"{_words(name)} {count:,}" for name, count in found.counts.items()) + ".",
        ]
    else:
        lines = [f"{head}. It was made before checks had a history."]
    lines.append(found.held or "Nothing is held back.")
    if found.thresholds:
        decided = ", ".join(f"{check_id} {value:g}" for check_id, value in sorted(found.thresholds.items()))
        lines.append(f"Thresholds decided here: {decided}.")
    return lines


def _what_if_lines(told: WhatIf) -> list[str]:
    from assets.audit.what_if import DAYS_A_MONTH  # noqa: PLC0415

    judged = f"{plural(told.releases, 'release')} and {plural(told.readings, 'reading')} of deliveries"
    lines = [
        f"{told.first_day} to {told.last_day} ({plural(told.days, 'day')}): {judged}.",
        "",
        f"{'Check':50} {'threshold':>12} {'asked':>8} {'alarms':>8} {'then':>8} {'a month':>9} {'then':>8}",
    ]
    for one in told.alarms:
        were = ", ".join(f"{value:g}" for value in one.thresholds_were)
        asked = "" if one.threshold is None else f"{one.threshold:g}"
        lines.append(
            f"{one.check_id or 'All checks':50} {were:>12} {asked:>8} {one.before:>8,} {one.after:>8,} "
            f"{one.before_a_month:>9.2f} {one.after_a_month:>8.2f}"
        )
    if told.days < DAYS_A_MONTH:
        lines.append("This is less than a month: numbers a month are what it would come to if it went on like this.")
    lines += ["", *_moved_lines("Would have been held and were not", told.held)]
    lines += _moved_lines("Were held and would have passed", told.let_through)
    return [*lines, LIMITS]


def _moved_lines(head: str, moved: tuple[Moved, ...]) -> list[str]:
    lines = [f"{head}: {len(moved):,}"]
    lines += [f"  {one.at}  {one.name}: {', '.join(one.checks)}" for one in moved[:LISTED]]
    more = len(moved) - LISTED
    return [*lines, f"  and {more:,} more (--json has all)"] if more > 0 else lines


def _words(name: str) -> str:
    return name.replace("_", " ")
