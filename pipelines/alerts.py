"""Alerts: what is wrong now is told once to everybody who is to know, and once more when it is over.

``HOME/alerts/state.json`` remembers, by fingerprint, what stands since when and who was told. A fingerprint is what an
alert is about, without times and counts: the same failing check of the same source is one alert, night after night. It
is told again after ``AGAIN``, because what nobody does anything about is forgotten. What a channel could not send is
sent the next time, also if it is over by then. It may be told twice if the machine stops between sending and writing
that down, but never not at all. Alerts hold check ids, codes, counts and names of deliveries, no value of a patient.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from assets.audit.ledger import PRIVATE_FILE
from assets.home import PRIVATE_FOLDER
from pipelines.alert_channels import Message, send

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from assets.home import Home
    from pipelines.alert_channels import Channel

FOLDER, FILE = "alerts", "state.json"
AGAIN = timedelta(days=7)
LISTED = 50
"""Alerts that a text names one by one; the content for machines has all."""
FINGERPRINT_DIGITS = 12
OPEN, OVER = "open", "over"


class Kind(StrEnum):
    """What an alert is about."""

    CHECK = "check"
    """A check warned, failed or could not be evaluated."""
    RUN = "run"
    """The last run of the command line failed or never ended."""
    JOB = "job"
    """A run that Dagster started failed."""
    STALE = "stale"
    """A source has sent nothing for long."""
    HELD = "held"
    """A release or a delivery is held back or refused."""
    LEFT = "left"
    """A delivery was landed and never read to its end, or lies in the landing folder and cannot be landed."""
    SENSOR = "sensor"
    """A sensor, a schedule or the daemon has stopped."""
    HOME = "home"
    """What the alerts are read from cannot be read."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that is wrong. ``urgent``: no new numbers are published while it stands; a digest does not wait."""

    kind: Kind
    subject: str
    says: str
    to_do: str
    urgent: bool = False

    @property
    def fingerprint(self) -> str:
        """The same for the same thing, whenever it is seen."""
        return hashlib.sha256(f"{self.kind}\n{self.subject}".encode()).hexdigest()[:FINGERPRINT_DIGITS]


@dataclass(slots=True)
class Known:
    """An alert with its story. ``told`` gives, by channel, what was said last (``open``, ``over``) and when."""

    alert: Alert
    since: str
    until: str | None = None
    told: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """Whether it still stands."""
        return OVER if self.until else OPEN

    def is_due(self, channel: str, now: datetime) -> bool:
        """Whether a channel has to be told."""
        said, at = self.told.get(channel, ("", ""))
        return said != self.state or (self.until is None and now - datetime.fromisoformat(at) >= AGAIN)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self.alert) | {
            "fingerprint": self.alert.fingerprint,
            "state": self.state,
            "since": self.since,
            "until": self.until,
        }


@dataclass(slots=True)
class Book:
    """What ``state.json`` holds. ``sent``: when a channel was last reached; ``unsent``: since when not, and why."""

    known: dict[str, Known] = field(default_factory=dict)
    sent: dict[str, str] = field(default_factory=dict)
    unsent: dict[str, tuple[str, str]] = field(default_factory=dict)


def tell(
    home: Home,
    found: Mapping[Kind, Iterable[Alert]],
    channels: Sequence[Channel],
    now: datetime,
    digest: timedelta = timedelta(0),
) -> Book:
    """Bring the story up to date with what was found, send each channel what it does not know, and return the story.

    Args:
        home: whose alerts.
        found: what stands now, by every kind that was looked at. What is not looked at stays as it was.
        channels: who is to know.
        now: the moment.
        digest: what is not urgent waits until a channel has been left alone for so long.

    Raises:
        OSError: the state cannot be written.

    """
    moment = now.astimezone(UTC)
    with _locked(home.path / FOLDER) as folder:
        book = read_book(home)
        _bring_up_to_date(book, found, _text(moment))
        _write(folder, book)  # whatever happens while it is sent, nothing of it is forgotten
        due = [(channel, some) for channel in channels if (some := _due(book, channel.name, moment, digest))]
        ends = send([(channel, message(home, some, moment)) for channel, some in due])
        for (channel, some), why in zip(due, ends, strict=True):
            _note(book, channel.name, some, why, _text(moment))
        _drop_told(book, {channel.name for channel in channels})
        _write(folder, book)
    return book


def read_book(home: Home) -> Book:
    """The story so far. One that cannot be read begins anew: told twice is better than not at all."""
    try:
        content = json.loads((home.path / FOLDER / FILE).read_bytes())
        known = [_known(one) for one in content["known"]]
        return Book(
            {one.alert.fingerprint: one for one in known},
            {str(name): _moment(at) for name, at in content["sent"].items()},
            {str(name): (_moment(since), str(why)) for name, (since, why) in content["unsent"].items()},
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Book()


def message(home: Home, items: Sequence[Known], now: datetime) -> Message:
    """What is sent about these alerts."""
    opened = [one for one in items if one.until is None]
    title = ", ".join(
        f"{len(some)} {word}" for some, word in ((opened, OPEN), ([one for one in items if one.until], OVER)) if some
    )
    named = sorted(items, key=lambda one: (one.until is not None, not one.alert.urgent, one.since, one.alert.subject))
    lines = [_paragraph(one) for one in named[:LISTED]]
    if len(items) > LISTED:
        lines.append(f"And {len(items) - LISTED} more: `needlepoint alerts list` has all.")
    first = f": {named[0].alert.says}" if len(items) == 1 else ""
    content = {
        "source": "needlepoint",
        "installation": home.path.name,
        "at": _text(now.astimezone(UTC)),
        "title": title + first,
        "alerts": [one.as_dict() for one in named],
    }
    return Message(f"{home.path.name}: {title}{first}", "\n\n".join(lines), content)


def _paragraph(one: Known) -> str:
    if one.until:
        return f"OVER since {one.until} (since {one.since}): {one.alert.says}"
    head = "URGENT, open" if one.alert.urgent else "Open"
    return f"{head} since {one.since}: {one.alert.says}\n{one.alert.to_do}"


def _bring_up_to_date(book: Book, found: Mapping[Kind, Iterable[Alert]], at: str) -> None:
    seen: set[str] = set()
    for alert in (one for some in found.values() for one in some):
        seen.add(alert.fingerprint)
        before = book.known.get(alert.fingerprint)
        if before is None or before.until:
            book.known[alert.fingerprint] = Known(alert, at, told=before.told if before else {})
        else:
            before.alert = alert  # counts may have changed
    for fingerprint, one in book.known.items():
        if one.until is None and one.alert.kind in found and fingerprint not in seen:
            one.until = at


def _due(book: Book, channel: str, now: datetime, digest: timedelta) -> list[Known]:
    """What a channel has to be told now; what is not urgent waits for the next digest."""
    due = [one for one in book.known.values() if one.is_due(channel, now)]
    last = book.sent.get(channel)
    waits = last is not None and now - datetime.fromisoformat(last) < digest
    return due if not waits or any(one.alert.urgent for one in due) else []


def _note(book: Book, channel: str, due: Iterable[Known], why: str | None, at: str) -> None:
    """Write down that a channel was told, or why it could not be."""
    if why is not None:
        since, _ = book.unsent.get(channel, (at, ""))
        book.unsent[channel] = (since, why)
        return
    book.unsent.pop(channel, None)
    book.sent[channel] = at
    for one in due:
        one.told[channel] = (one.state, at)


def _drop_told(book: Book, names: Collection[str]) -> None:
    """Forget what is over and known to everybody; of a channel that is no longer set, nothing is expected."""
    over = [key for key, one in book.known.items() if one.until]
    for fingerprint in over:
        told = book.known[fingerprint].told
        if all(told.get(name, ("", ""))[0] == OVER for name in names):
            del book.known[fingerprint]
    for name in set(book.unsent) - set(names):
        del book.unsent[name]


def _known(content: dict[str, Any]) -> Known:
    alert = Alert(**(content["alert"] | {"kind": Kind(content["alert"]["kind"])}))
    told = {str(name): (str(said), _moment(at)) for name, (said, at) in content["told"].items()}
    until = content["until"]
    return Known(alert, _moment(content["since"]), None if until is None else _moment(until), told)


def _moment(text: str) -> str:
    return _text(datetime.fromisoformat(text).astimezone(UTC))


def _write(folder: Path, book: Book) -> None:
    """Write the state; a reader sees the old one or the new one."""
    content = {"known": [asdict(one) for one in book.known.values()], "sent": book.sent, "unsent": book.unsent}
    incoming = folder / f".{FILE}"
    with os.fdopen(os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "w") as file:
        file.write(json.dumps(content, indent=1, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())
    incoming.replace(folder / FILE)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


@contextmanager
def _locked(folder: Path) -> Iterator[Path]:
    """One at a time, so that nobody is told twice; each waits for at most as long as the channels take."""
    folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    descriptor = os.open(folder / ".lock", os.O_WRONLY | os.O_CREAT, PRIVATE_FILE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(descriptor)
