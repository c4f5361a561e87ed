"""The words about what is held back: which check, since when, and nothing once it is released."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from assets.deliveries.ledger import Delivery, State
from assets.publication.holds import held_since, held_words, open_holds
from assets.publication.run_log import RunRecord, RunState
from dashboards.status import STATUS_FILE, status_script, write_status

if TYPE_CHECKING:
    from pathlib import Path

TITLES = {"visit.key.unique": "One row for each visit"}


def run(day: int, state: RunState = RunState.HELD, *checks: str) -> RunRecord:
    return RunRecord(
        run_id=f"run-{day}",
        kind="run",
        started=f"2026-11-{day:02}T06:04:00+00:00",
        code_version="code",
        contract_version="2",
        packages={},
        release_before=None,
        state=state,
        held_checks=checks,
    )


def sent(day: int, state: State = State.HELD, **facts: Any) -> Delivery:
    made = Delivery(
        f"d{day}",
        f"east_2026-11-{day:02}",
        (),
        f"2026-11-{day:02}",
        "canonical",
        1,
        "0" * 64,
        "2",
        state=state,
        problem="Held by visit.schema, visit.key.unique" if state is State.HELD else None,
        landed_at=f"2026-11-{day:02}T05:00:00+00:00",
    )
    return replace(made, **facts)


def test_each_check_has_its_own_beginning() -> None:
    runs = [
        run(1, RunState.RELEASED),
        run(2, RunState.HELD, "a"),
        run(3, RunState.HELD, "a", "visit.key.unique"),
        run(4, RunState.FAILED),
        run(5, RunState.UNCHANGED),
        run(6, RunState.HELD, "visit.key.unique", "b"),
    ]
    assert held_since(runs) == {"visit.key.unique": runs[2].started, "b": runs[5].started}
    assert held_words(runs, [], TITLES) == (
        "The run of 6 November 2026, 06:04 UTC was not released. It is held by check “One row for each visit” "
        "(visit.key.unique) since 3 November 2026, 06:04 UTC and check b since 6 November 2026, 06:04 UTC. "
        "The numbers below were released before that."
    )


@pytest.mark.parametrize("state", [RunState.RELEASED, RunState.WARNED])
def test_a_release_ends_the_hold(state: RunState) -> None:
    held = [run(1, RunState.HELD, "a")]
    assert held_words(held, [], {})
    assert held_words([*held, run(2, state)], [], {}) == ""
    assert held_words([], [], {}) == ""


def test_a_check_that_passed_in_between_begins_anew() -> None:
    runs = [run(1, RunState.HELD, "a"), run(2, RunState.HELD, "b"), run(3, RunState.HELD, "a")]
    assert held_since(runs) == {"a": runs[2].started}


def test_a_held_delivery_is_told_without_its_name() -> None:
    words = held_words([], [sent(3), sent(4, problem="The scale of nprs has changed")], TITLES)
    assert words == (
        "2 deliveries are held back and not in these numbers: by check visit.schema since 3 November 2026, 05:00 UTC, "
        "check “One row for each visit” (visit.key.unique) since 3 November 2026, 05:00 UTC and a change of scale "
        "since 4 November 2026, 05:00 UTC."
    )
    assert "east" not in words


def test_a_later_delivery_of_the_source_ends_the_hold() -> None:
    held = sent(3)
    other = sent(4, State.ACCEPTED, label="west_2026-11-04")
    assert open_holds([held, other]) == [held]
    assert open_holds([held, sent(4, State.ACCEPTED)]) == []
    assert open_holds([sent(2, State.ACCEPTED), held]) == [held]
    assert open_holds([held, sent(5, State.REJECTED)]) == [held]


def test_the_script_says_text_and_nothing_else(tmp_path: Path) -> None:
    hostile = "</script><img onerror=alert(1)>\u202e\u2028"
    script = status_script(hostile).decode()
    assert "<" not in script
    assert "\u202e" not in script
    assert "\u2028" not in script
    write_status(tmp_path, hostile)
    stamp = (tmp_path / STATUS_FILE).stat().st_mtime_ns
    write_status(tmp_path, hostile)
    assert (tmp_path / STATUS_FILE).stat().st_mtime_ns == stamp
    write_status(tmp_path, "")
    assert (tmp_path / STATUS_FILE).read_bytes() == status_script("") == b'"use strict";\n'
