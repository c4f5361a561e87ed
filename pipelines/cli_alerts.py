"""``needlepoint alerts``: what is wrong now, and who is told of it; one function per verb."""

from __future__ import annotations

import datetime as dt
import json
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING

import click

from pipelines.cli_options import HOME_OPTION, JSON_OPTION, set_home
from pipelines.settings import home_from_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dagster import DagsterInstance

    from assets.home import Home
    from pipelines.alerts import Alert, Book

NO_CHANNEL = "Nobody is told: no channel is set. The settings that begin with NEEDLEPOINT_ALERT are in README.md."


@click.group()
def alerts() -> None:
    """What is wrong now, and who is told of it."""


@alerts.command(name="list")
@HOME_OPTION
@JSON_OPTION
def list_alerts(home: Path | None, *, as_json: bool) -> None:
    """Say what is wrong now, and what could not be sent; change nothing."""
    from pipelines.alert_channels import channels  # noqa: PLC0415 each verb loads only what it needs
    from pipelines.alerting import standing_alerts  # noqa: PLC0415
    from pipelines.alerts import read_book  # noqa: PLC0415

    set_home(home)
    target = home_from_environment()
    with _dagster(target) as storage:
        found = standing_alerts(target, storage, dt.datetime.now(dt.UTC))
    standing = [alert for some in found.values() for alert in some]
    book, names = read_book(target), [channel.name for channel in channels()]
    if as_json:
        listed = [
            asdict(one) | {"fingerprint": one.fingerprint, "since": _since(book, one), "told": _told(book, one)}
            for one in standing
        ]
        unsent = {name: {"since": since, "why": why} for name, (since, why) in book.unsent.items()}
        click.echo(json.dumps({"alerts": listed, "channels": names, "unsent": unsent}, indent=1))
        return
    for one in standing:
        told = ", ".join(_told(book, one)) or "nobody yet"
        click.echo(f"{'Urgent. ' if one.urgent else ''}{one.says}. Told: {told}\n  {one.to_do}")
    if not standing:
        click.echo("Nothing is wrong.")
    click.echo(f"Channels: {', '.join(names)}." if names else NO_CHANNEL)
    _say_unsent(book)


@alerts.command()
@HOME_OPTION
def send(home: Path | None) -> None:
    """Tell every channel what it does not know yet; a timer calls this, so that a dead daemon is told too."""
    from pipelines.alerting import send_alerts  # noqa: PLC0415

    set_home(home)
    target = home_from_environment()
    if not target.path.is_dir():
        click.echo(f"There is no home at {target.path} yet.")
        return
    with _dagster(target) as storage:
        book = send_alerts(target, storage)
    if book is None:
        click.echo(NO_CHANNEL)
        return
    open_alerts = sum(one.until is None for one in book.known.values())
    click.echo(f"{open_alerts} open; every channel knows of them." if not book.unsent else f"{open_alerts} open.")
    _say_unsent(book)
    sys.exit(1 if book.unsent else 0)


@alerts.command()
@HOME_OPTION
def test(home: Path | None) -> None:
    """Send a message that nothing is wrong through every channel, and say which of them work."""
    from pipelines.alert_channels import channels, trial_message  # noqa: PLC0415
    from pipelines.alert_channels import send as send_to  # noqa: PLC0415

    set_home(home)
    target, to_test = home_from_environment(), channels()
    if not to_test:
        click.echo(NO_CHANNEL)
        sys.exit(1)
    message = trial_message(target.path.name, dt.datetime.now(dt.UTC))
    ends = send_to([(channel, message) for channel in to_test])
    for channel, why in zip(to_test, ends, strict=True):
        click.echo(f"{channel.name}: {why or 'sent'}.")
    sys.exit(1 if any(ends) else 0)


@contextmanager
def _dagster(home: Home) -> Iterator[Callable[[], DagsterInstance] | None]:
    """What opens Dagster's storage, if the home has one; PostgreSQL may be down."""
    from pipelines.runner import dagster_instance  # noqa: PLC0415

    if not (home.dagster / "dagster.yaml").exists():
        yield None
        return
    with ExitStack() as opened:
        yield cache(lambda: opened.enter_context(dagster_instance(home)))


def _say_unsent(book: Book) -> None:
    for name, (since, why) in sorted(book.unsent.items()):
        click.echo(f"{name} has not been reached since {since}: {why}. It is tried again with the next alerts.")


def _since(book: Book, alert: Alert) -> str | None:
    known = book.known.get(alert.fingerprint)
    return known.since if known else None


def _told(book: Book, alert: Alert) -> list[str]:
    """The channels that know of an alert that stands."""
    from pipelines.alerts import OPEN  # noqa: PLC0415

    known = book.known.get(alert.fingerprint)
    return sorted(name for name, (said, _) in known.told.items() if said == OPEN) if known else []
