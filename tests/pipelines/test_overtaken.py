"""A release is named after what it was built from: what changes meanwhile keeps it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.deliveries.problems import InputProblem
from assets.home import Home
from assets.publication import release, switch
from pipelines import runner

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    place = Home(tmp_path / "home", memory_limit="1GB")
    place.create()
    return place


def test_a_release_is_overtaken_by_what_changes_while_it_is_built(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "next_release", lambda _: "aaa")
    assert not release.is_overtaken(home)  # nothing is being built
    release.start_building(home)
    assert not release.is_overtaken(home)
    monkeypatch.setattr(release, "next_release", lambda _: "bbb")
    assert release.is_overtaken(home)
    with pytest.raises(InputProblem, match="changed while the release was built"):
        switch.release_built(home)
    assert release.current_release(home) is None


def test_the_run_says_so_and_releases_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = runner.RunOutcome()
    outcome.known.append(runner.Delivery("d", "d", (), "", "p", 1, "", "1", state=runner.State.ACCEPTED))

    built: list[int] = []

    def broken(*_: object) -> tuple[list[str], list[str]]:
        release.start_building(home)
        built.append(1)
        monkeypatch.setattr(release, "next_release", lambda _: f"b{len(built)}")  # something is decided each time
        outcome.is_broken = True
        return [], ["a failure in step publication__release"]

    monkeypatch.setattr(runner, "_execute", broken)
    runner._release(home, None, outcome, lambda _: None)  # type: ignore[arg-type]  # noqa: SLF001 # no Dagster is asked
    assert [problem.code for problem in outcome.failed] == ["OVERTAKEN"]
    assert len(built) == runner.BUILDS_AT_MOST
    assert (outcome.released, outcome.held_by, outcome.exit_code) == (False, [], 1)
