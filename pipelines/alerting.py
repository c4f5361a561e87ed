"""Looks at everything that alerts are about, and tells those who are to know."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from assets.deliveries.problems import InputProblem
from pipelines.alert_channels import channels
from pipelines.alert_sources import home_watches, look
from pipelines.alerts import tell
from pipelines.settings import ALERT_DIGEST_VARIABLE, ALERT_STALE_VARIABLE, DEFAULT_STALE_DAYS, value

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagster import DagsterInstance

    from assets.home import Home
    from pipelines.alerts import Alert, Book, Kind

    Storage = Callable[[], DagsterInstance]

LONGEST_NUMBER = 4


def standing_alerts(home: Home, storage: Storage | None, now: datetime) -> dict[Kind, list[Alert]]:
    """Everything that is wrong now, by each kind that was looked at; Dagster only where its storage is given.

    Raises:
        InputProblem: SETTING: a setting cannot be read.

    """
    watches = dict(home_watches(home, now, timedelta(days=whole_number(ALERT_STALE_VARIABLE, DEFAULT_STALE_DAYS))))
    if storage is not None:
        from pipelines.alert_dagster import dagster_watches  # noqa: PLC0415 importing Dagster costs a second

        watches |= dagster_watches(home, storage, now)
    return look(watches)


def send_alerts(home: Home, storage: Storage | None = None) -> Book | None:
    """Tell every channel what it does not know yet; None where no channel is set.

    Raises:
        InputProblem: SETTING: a setting cannot be read.
        OSError: the state of the alerts cannot be written.

    """
    to_tell = channels()
    if not to_tell:
        return None
    now = datetime.now(UTC)
    digest = timedelta(hours=whole_number(ALERT_DIGEST_VARIABLE, 0))
    return tell(home, standing_alerts(home, storage, now), to_tell, now, digest)


def send_alerts_quietly(home: Home) -> None:
    """The same at the end of a run, whose result does not depend on it: whatever goes wrong is one line."""
    try:
        book = send_alerts(home)
    except InputProblem as problem:
        _say(str(problem))
    except Exception as error:  # noqa: BLE001 nothing that alerts do may fail a run, nor hide why it failed
        _say(f"{type(error).__name__}. Try `needlepoint alerts send`")
    else:
        for name, (_, why) in sorted((book.unsent if book else {}).items()):
            _say(f"{name}: {why}. It is tried again with the next alerts")


def _say(what: str) -> None:
    sys.stderr.write(f"Alerts were not sent. {what}\n")


def whole_number(variable: str, default: int) -> int:
    """What a setting of alerts that is a number is set to.

    Raises:
        InputProblem: SETTING: it is none.

    """
    text = value(variable)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise InputProblem("SETTING", variable, "it is no whole number", "Give one from 0 to 9999")
    return int(text)
