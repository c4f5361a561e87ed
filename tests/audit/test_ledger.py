"""The ledger: nothing in it can be changed without being found, and a crash loses no more than the line it cut."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from assets.audit.ledger import START, append, cut_line, entries, inspected, ledger_file
from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
Lines = list[bytes]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for number in range(3):
        append(tmp_path, "waiver", {"check_id": f"c{number}", "until": "2026-12-31"}, "A. Steward", NOW)
    append(tmp_path, "history", {"file": "a.parquet", "rows": 3, "delivery_id": None}, now=NOW)
    return tmp_path


def lines_of(home: Path) -> Lines:
    return ledger_file(home).read_bytes().splitlines(keepends=True)


def test_entries_come_back_in_order_and_are_chained(home: Path) -> None:
    found = entries(home)
    assert [(entry.number, entry.kind, entry.by) for entry in found] == [
        (1, "waiver", "A. Steward"),
        (2, "waiver", "A. Steward"),
        (3, "waiver", "A. Steward"),
        (4, "history", None),
    ]
    assert [entry.previous for entry in found] == [START, *(entry.hash for entry in found[:-1])]
    assert found[3].body == {"file": "a.parquet", "rows": 3, "delivery_id": None}
    assert {entry.at for entry in found} == {"2026-07-01T12:00:00+00:00"}


def test_a_home_without_a_ledger_has_no_entries(tmp_path: Path) -> None:
    assert entries(tmp_path) == ()
    assert not ledger_file(tmp_path).exists()


def test_only_its_owner_may_read_it(home: Path) -> None:
    assert ledger_file(home).stat().st_mode & 0o077 == 0
    assert ledger_file(home).parent.stat().st_mode & 0o077 == 0


def test_every_flipped_byte_is_found_and_its_line_is_named(home: Path) -> None:
    path, whole = ledger_file(home), ledger_file(home).read_bytes()
    for position in range(len(whole) - 1):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1 << position % 8]) + whole[position + 1 :])
        number = whole.count(b"\n", 0, position) + 1
        with pytest.raises(InputProblem, match=rf"audit/ledger\.jsonl, line {number}: it ") as caught:
            entries(home)
        assert caught.value.code == "LEDGER"
        assert caught.value.__cause__ is None


def test_a_last_line_end_that_was_flipped_is_found(home: Path) -> None:
    path, whole = ledger_file(home), ledger_file(home).read_bytes()
    path.write_bytes(whole[:-1] + b"\x0b")
    assert cut_line(home)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param(lambda lines: lines[1:], 1, id="the first taken out"),
        pytest.param(lambda lines: [lines[0], *lines[2:]], 2, id="one taken out"),
        pytest.param(lambda lines: [lines[0], lines[2], lines[1], lines[3]], 2, id="two in another order"),
        pytest.param(lambda lines: [lines[0], lines[0], *lines[1:]], 2, id="one twice"),
        pytest.param(lambda lines: [*lines, lines[-1]], 5, id="the last twice"),
        pytest.param(lambda lines: [lines[0], b"\n", *lines[1:]], 2, id="an empty line"),
        pytest.param(lambda lines: [*lines, b'{"kind":"waiver"}\n'], 5, id="one added by hand"),
        pytest.param(lambda lines: [*lines, b"[]\n"], 5, id="a list"),
        pytest.param(lambda lines: [b" " + lines[0], *lines[1:]], 1, id="a blank more"),
    ],
)
def test_lines_taken_out_added_or_moved_are_found(home: Path, change: Callable[[Lines], Lines], named: int) -> None:
    ledger_file(home).write_bytes(b"".join(change(lines_of(home))))
    with pytest.raises(InputProblem, match=f"line {named}: "):
        entries(home)


def test_a_line_that_was_made_anew_breaks_the_one_after_it(home: Path) -> None:
    """A forger can give a line the hash that it must have; the next line tells."""
    lines = lines_of(home)
    other = home / "other"
    append(other, "waiver", {"check_id": "c0", "until": "2026-12-31"}, "A. Steward", NOW)
    append(other, "waiver", {"check_id": "forged", "until": "2099-12-31"}, "A. Steward", NOW)
    ledger_file(home).write_bytes(b"".join([lines[0], lines_of(other)[1], *lines[2:]]))
    found, problems = inspected(home)
    assert [problem.where for problem in problems] == ["audit/ledger.jsonl, line 3"]
    assert len(found) == len(lines)


def test_every_broken_line_is_named_and_the_others_are_read(home: Path) -> None:
    lines = lines_of(home)
    ledger_file(home).write_bytes(b"".join([lines[0], b"CANARY\n", lines[2], b"CANARY\n"]))
    found, problems = inspected(home)
    assert [entry.number for entry in found] == [1, 3]
    assert [problem.where for problem in problems] == ["audit/ledger.jsonl, line 2", "audit/ledger.jsonl, line 4"]
    assert "CANARY" not in str(problems)


def test_nothing_is_added_behind_a_broken_line(home: Path) -> None:
    path = ledger_file(home)
    path.write_bytes(path.read_bytes().replace(b'"rows":3', b'"rows":4'))
    before = path.read_bytes()
    with pytest.raises(InputProblem, match="last line"):
        append(home, "waiver", {})
    assert path.read_bytes() == before


def test_a_line_cut_by_a_crash_is_no_entry_and_the_next_one_says_so(home: Path) -> None:
    path, whole = ledger_file(home), ledger_file(home).read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    for end in (start + 1, *range(start + 2, len(whole) - 2, 19), len(whole) - 2):
        path.write_bytes(whole[:end])
        assert len(entries(home)) == 3
        assert cut_line(home)
        append(home, "pack", {"pack": "p"}, now=NOW)
        *_, lost, last = entries(home)
        assert (lost.number, lost.kind, lost.body["bytes"]) == (4, "lost", end - start)
        assert (last.number, last.kind) == (5, "pack")
        assert not cut_line(home)


def test_a_line_of_which_only_the_end_is_missing_is_an_entry(home: Path) -> None:
    path, whole = ledger_file(home), ledger_file(home).read_bytes()
    path.write_bytes(whole[:-1])
    assert len(entries(home)) == 4
    append(home, "pack", {"pack": "p"})
    assert [entry.kind for entry in entries(home)] == ["waiver", "waiver", "waiver", "history", "pack"]


def test_an_entry_behind_which_something_was_put_is_not_taken_for_a_cut_line(home: Path) -> None:
    path = ledger_file(home)
    path.write_bytes(path.read_bytes()[:-1] + b"}")
    with pytest.raises(InputProblem, match="line 4"):
        entries(home)
    with pytest.raises(InputProblem, match="last line"):
        append(home, "waiver", {})


@pytest.mark.parametrize("written", [0, 7], ids=["nothing", "a part"])
def test_a_line_that_cannot_be_written_whole_leaves_no_trace(
    home: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    before, write = ledger_file(home).read_bytes(), os.write
    monkeypatch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:written]))
    with pytest.raises(InputProblem, match="cannot be written"):
        append(home, "waiver", {})
    assert ledger_file(home).read_bytes() == before


def test_writers_at_the_same_moment_wait_for_each_other(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: append(tmp_path, "pack", {"pack": str(number)}), range(40)))
    assert sorted(int(entry.body["pack"]) for entry in entries(tmp_path)) == list(range(40))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param("gossip", {}, id="another kind"),
        pytest.param("waiver", {"x": float("nan")}, id="no number"),
    ],
)
def test_what_is_no_entry_is_not_written(tmp_path: Path, kind: str, body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no entry|not JSON compliant"):
        append(tmp_path, kind, body)
    assert entries(tmp_path) == ()


def test_text_of_any_script_comes_back(tmp_path: Path) -> None:
    append(tmp_path, "waiver", {"because": "Ä \u2028 日 \r\n \x00"}, "Ødegård")
    (entry,) = entries(tmp_path)
    assert (entry.body["because"], entry.by) == ("Ä \u2028 日 \r\n \x00", "Ødegård")
