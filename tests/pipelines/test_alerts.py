"""Alerts: told once by fingerprint, again when over, later when it could not be sent; never in the way of a run."""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from assets.home import Home
from pipelines.alert_channels import Message, Unsent
from pipelines.alerts import AGAIN, FILE, FOLDER, LISTED, Alert, Kind, read_book, tell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NOW = datetime(2026, 11, 26, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
WARNS = Alert(Kind.CHECK, "visit.rows.drift release warn", "Check visit.rows.drift warns", "Look at the page")
FAILED = Alert(Kind.RUN, "run", "The run failed", "Run again", urgent=True)


@dataclass
class Room:
    """A channel that remembers what it was told, or cannot be reached."""

    name: str = "room"
    is_down: bool = False
    heard: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> None:
        if self.is_down:
            why = "it is down"
            raise Unsent(why)
        self.heard.append(message)

    @property
    def last(self) -> list[tuple[str, str]]:
        """What the last message said of which subject."""
        return [(one["subject"], one["state"]) for one in self.heard[-1].content["alerts"]]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    place = Home(tmp_path / "north", memory_limit="1GB")
    place.create()
    return place


def found(*alerts: Alert, looked_at: Sequence[Kind] = (Kind.CHECK, Kind.RUN)) -> dict[Kind, list[Alert]]:
    return {kind: [one for one in alerts if one.kind is kind] for kind in looked_at}


def test_the_same_thing_is_told_once_and_once_more_when_it_is_over(home: Home) -> None:
    room = Room()
    tell(home, found(WARNS), [room], NOW)
    tell(home, found(replace(WARNS, says="Check visit.rows.drift warns, 3 of 9")), [room], NOW + HOUR)
    assert (len(room.heard), room.last) == (1, [(WARNS.subject, "open")])
    book = tell(home, found(), [room], NOW + 2 * HOUR)
    assert (len(room.heard), room.last) == (2, [(WARNS.subject, "over")])
    assert "3 of 9" in room.heard[-1].text, "the newest counts are told"
    assert book.known == {}
    tell(home, found(), [room], NOW + 3 * HOUR)
    assert len(room.heard) == 2


def test_another_subject_is_another_alert(home: Home) -> None:
    room = Room()
    tell(home, found(WARNS), [room], NOW)
    other = replace(WARNS, subject="visit.rows.drift release fail")
    tell(home, found(WARNS, other), [room], NOW + HOUR)
    assert room.last == [(other.subject, "open")]


def test_what_stands_for_long_is_told_again(home: Home) -> None:
    room = Room()
    for days in range(9):
        tell(home, found(WARNS), [room], NOW + timedelta(days=days))
    assert len(room.heard) == 2
    assert room.heard[1].content["at"] == (NOW + AGAIN).isoformat(timespec="seconds")
    assert room.heard[1].content["alerts"][0]["since"] == NOW.isoformat(timespec="seconds")


def test_what_was_not_looked_at_is_not_over(home: Home) -> None:
    room = Room()
    tell(home, found(WARNS, FAILED), [room], NOW)
    tell(home, found(looked_at=[Kind.CHECK]), [room], NOW + HOUR)
    assert room.last == [(WARNS.subject, "over")]


def test_what_could_not_be_sent_is_sent_the_next_time_even_if_it_is_over(home: Home) -> None:
    down, up = Room("down", is_down=True), Room("up")
    book = tell(home, found(WARNS), [down, up], NOW)
    assert book.unsent == {"down": (NOW.isoformat(timespec="seconds"), "it is down")}
    book = tell(home, found(FAILED), [down, up], NOW + HOUR)
    assert book.unsent["down"][0] == NOW.isoformat(timespec="seconds"), "since when it cannot be reached"
    assert [len(one.heard) for one in (down, up)] == [0, 2]
    down.is_down = False
    book = tell(home, found(FAILED), [down, up], NOW + 2 * HOUR)
    assert down.last == [(FAILED.subject, "open"), (WARNS.subject, "over")]
    assert book.unsent == {}
    assert len(up.heard) == 2, "who knows is not told twice"


def test_state_is_on_disk_before_anything_is_sent(home: Home) -> None:
    class Killed(Room):
        def send(self, message: Message) -> None:
            assert [one.alert for one in read_book(home).known.values()] == [WARNS]
            super().send(message)

    room = Killed()
    tell(home, found(WARNS), [room], NOW)
    assert len(room.heard) == 1


def test_back_before_the_end_was_told_is_no_news(home: Home) -> None:
    knows, missed = Room("knows"), Room("missed")
    tell(home, found(WARNS), [knows, missed], NOW)
    missed.is_down = True
    tell(home, found(), [knows, missed], NOW + HOUR)
    missed.is_down = False
    tell(home, found(WARNS), [knows, missed], NOW + 2 * HOUR)
    assert [len(one.heard) for one in (knows, missed)] == [3, 1]
    assert knows.last == [(WARNS.subject, "open")]


def test_digest_waits_unless_something_is_urgent(home: Home) -> None:
    room, day = Room(), timedelta(hours=24)
    other = replace(WARNS, subject="other")
    tell(home, found(WARNS), [room], NOW, day)
    tell(home, found(WARNS, other), [room], NOW + HOUR, day)
    assert len(room.heard) == 1
    tell(home, found(WARNS, other, FAILED), [room], NOW + 2 * HOUR, day)
    assert room.last == [(FAILED.subject, "open"), ("other", "open")]
    third = replace(WARNS, subject="third")
    tell(home, found(WARNS, other, third, FAILED), [room], NOW + 25 * HOUR, day)
    assert len(room.heard) == 2
    tell(home, found(WARNS, other, third, FAILED), [room], NOW + 26 * HOUR, day)
    assert room.last == [("third", "open")]


def test_urgent_comes_first_and_a_long_text_is_cut_but_not_the_content(home: Home) -> None:
    room = Room()
    many = [replace(WARNS, subject=f"check {number:03}") for number in range(LISTED + 10)]
    tell(home, found(*many, FAILED), [room], NOW)
    (heard,) = room.heard
    assert heard.title == f"north: {LISTED + 11} open"
    assert heard.text.startswith(f"URGENT, open since {NOW.isoformat(timespec='seconds')}: The run failed\nRun again")
    assert heard.text.count("Check visit.rows.drift warns") == LISTED - 1
    assert "And 11 more" in heard.text
    assert len(heard.content["alerts"]) == LISTED + 11


def test_one_alert_is_said_in_the_title(home: Home) -> None:
    room = Room()
    tell(home, found(FAILED), [room], NOW)
    assert room.heard[0].title == "north: 1 open: The run failed"


def test_a_channel_that_is_no_longer_set_is_not_waited_for(home: Home) -> None:
    tell(home, found(WARNS), [Room("old", is_down=True)], NOW)
    room = Room("new")
    tell(home, found(WARNS), [room], NOW + HOUR)
    book = tell(home, found(), [room], NOW + 2 * HOUR)
    assert (book.known, book.unsent) == ({}, {})


@pytest.mark.parametrize(
    "damage",
    [b"", b"[]", b"null", b"{", b'{"known": [1], "sent": {}, "unsent": {}}', b"\xff\xfe", b"[" * 100_000],
)
def test_a_state_that_cannot_be_read_begins_anew(home: Home, damage: bytes) -> None:
    room = Room()
    tell(home, found(WARNS), [room], NOW)
    (home.path / FOLDER / FILE).write_bytes(damage)
    tell(home, found(WARNS), [room], NOW + HOUR)
    assert room.last == [(WARNS.subject, "open")]
    assert len(room.heard) == 2


def test_a_state_cut_anywhere_is_read_or_begun_anew(home: Home) -> None:
    tell(home, found(WARNS, FAILED), [Room()], NOW)
    path = home.path / FOLDER / FILE
    whole = path.read_bytes()
    for end in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:end])
        assert read_book(home).known == {}
    path.write_bytes(whole)
    assert {one.alert for one in read_book(home).known.values()} == {WARNS, FAILED}


def test_a_moment_without_a_zone_is_read(home: Home) -> None:
    room = Room()
    tell(home, found(WARNS), [room], NOW)
    path = home.path / FOLDER / FILE
    path.write_text(path.read_text(encoding="utf-8").replace("+00:00", ""), encoding="utf-8")
    tell(home, found(WARNS), [room], NOW + HOUR)
    assert len(room.heard) == 1


def test_state_is_its_owners_only(home: Home) -> None:
    tell(home, found(WARNS), [Room()], NOW)
    folder = home.path / FOLDER
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert {path.name for path in folder.iterdir()} == {".lock", FILE}
    assert json.loads((folder / FILE).read_text())["sent"] == {"room": NOW.isoformat(timespec="seconds")}
