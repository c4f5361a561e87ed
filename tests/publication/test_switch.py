"""A release or a bundle that is made again takes the place of the one before: a reader finds the one or the other."""

from __future__ import annotations

import contextlib
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assets.home import Home
from assets.publication import bundles, exchange
from assets.publication.release import MANIFEST, point_to, switch_in
from assets.publication.retention import sweep_releases

if TYPE_CHECKING:
    from collections.abc import Callable

RELEASE = "abc"


class Died(Exception):  # noqa: N818 it stands for kill -9
    """The process ended here."""


def build(home: Home, says: str) -> None:
    """A whole release in the folder that nobody reads."""
    (home.building / "site").mkdir(parents=True)
    (home.building / MANIFEST).write_text(says, encoding="utf-8")
    (home.building / "site" / "index.html").write_text(says, encoding="utf-8")


def read(home: Home) -> str:
    """What a reader finds, in all of its files."""
    said, shown = ((home.current / name).read_text(encoding="utf-8") for name in (MANIFEST, "site/index.html"))
    assert said == shown
    return said


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with the release of this id in force, and the same id built again."""
    place = Home(tmp_path / "home", memory_limit="1GB")
    build(place, "before")
    switch_in(place, RELEASE)
    build(place, "after")
    return place


@pytest.fixture
def after_each_step(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Call something after every change that a switch makes."""

    def watch(look: Callable[[], None]) -> None:
        for owner, name in ((Path, "rename"), (Path, "replace"), (shutil, "rmtree"), (exchange, "_exchange")):
            step = getattr(owner, name)

            def watched(*args: object, step: Callable[..., object] = step, **options: object) -> object:
                done = step(*args, **options)
                look()
                return done

            monkeypatch.setattr(owner, name, watched)

    return watch


@pytest.fixture
def in_three_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that cannot exchange two folders."""
    monkeypatch.setattr(exchange, "_renameat2", lambda: None)


def test_the_same_id_is_there_at_every_step(home: Home, after_each_step: Callable[[Callable[[], None]], None]) -> None:
    seen: list[str] = []
    after_each_step(lambda: seen.append(read(home)))
    switch_in(home, RELEASE)
    assert seen[0] == "before"
    assert seen[-1] == "after"
    assert seen == sorted(seen, reverse=True), "never back"
    assert len(seen) >= 3
    assert [path.name for path in home.releases.iterdir()] == [RELEASE]


@pytest.mark.usefixtures("in_three_steps")
def test_the_watch_sees_a_gap(home: Home, after_each_step: Callable[[Callable[[], None]], None]) -> None:
    after_each_step(lambda: read(home) and None)
    with pytest.raises(FileNotFoundError):
        switch_in(home, RELEASE)


def misses_beside(home: Home) -> int:
    """How often a reader finds nothing while the same id is switched in again and again.

    Opening a file by its path is no one step: who is in the old folder when it goes finds nothing, and looks again.
    """
    found: list[str] = []
    missed: list[OSError] = []
    over = threading.Event()

    def look() -> None:
        found.append((home.current / MANIFEST).read_text(encoding="utf-8"))

    def reader() -> None:
        while not over.is_set():
            try:
                look()
            except OSError:
                try:
                    look()
                except OSError as error:
                    missed.append(error)

    thread = threading.Thread(target=reader)
    thread.start()
    try:
        for number in range(300):
            switch_in(home, RELEASE)
            build(home, f"again {number}")
    finally:
        over.set()
        thread.join()
    assert len(set(found)) > 3
    return len(missed)


def test_a_reader_beside_it_finds_a_whole_release_every_time(home: Home) -> None:
    assert misses_beside(home) == 0


@pytest.mark.usefixtures("in_three_steps")
def test_a_reader_would_find_the_gap(home: Home) -> None:
    """How often depends on what else the machine does, so that it is tried until it is seen."""
    assert any(misses_beside(home) for _ in range(20))


@pytest.mark.parametrize("way", ["in one step", "in three steps"])
@pytest.mark.parametrize("steps", range(1, 8))
def test_whoever_dies_in_it_leaves_a_release_and_the_next_one_ends_it(
    home: Home,
    after_each_step: Callable[[Callable[[], None]], None],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    steps: int,
) -> None:
    if way == "in three steps":
        monkeypatch.setattr(exchange, "_renameat2", lambda: None)
    left = [steps]

    def die() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Died

    after_each_step(die)
    with contextlib.suppress(Died):
        switch_in(home, RELEASE)
    left[0] = 0  # nobody dies from here on
    if way == "in one step":
        read(home)
    sweep_releases(home)
    assert read(home) in ("before", "after")
    shutil.rmtree(home.building, ignore_errors=True)
    build(home, "at last")
    switch_in(home, RELEASE)
    assert read(home) == "at last"
    assert [path.name for path in home.releases.iterdir()] == [RELEASE]


def test_an_older_release_that_is_built_again_comes_into_force(home: Home) -> None:
    (home.releases / "later").mkdir()
    point_to(home, "later")
    switch_in(home, RELEASE)
    assert read(home) == "after"


def test_what_cannot_be_moved_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        exchange.take_place(tmp_path / "nothing", tmp_path / "nowhere", tmp_path / "retired")


def test_a_bundle_is_there_at_every_step(tmp_path: Path, after_each_step: Callable[[Callable[[], None]], None]) -> None:
    place, built = tmp_path / "board", tmp_path / ".building"
    for says in ("before", "after"):
        built.mkdir()
        (built / bundles.MANIFEST).write_text(f'{{"audience": "{says}"}}', encoding="utf-8")
        if says == "after":
            after_each_step(lambda: (place / bundles.MANIFEST).read_text() and None)
        bundles.switch_in(built, place)
        assert says in (place / bundles.MANIFEST).read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["board"]
