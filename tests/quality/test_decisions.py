"""Decisions are entries of the ledger; those of an earlier home are taken over once, and a broken one is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from assets.audit.ledger import append, entries
from assets.deliveries.problems import InputProblem
from assets.quality.rebases import REBASES
from assets.quality.waivers import WAIVERS

if TYPE_CHECKING:
    from pathlib import Path

BASE = {"by": "A. Steward", "because": "the clinic closed and cannot resend", "added": "2026-07-01T12:00:00Z"}
WAIVER: dict[str, Any] = {"check_id": "visit.key.unique", "until": "2026-12-31", **BASE}
REBASE: dict[str, Any] = {"series": "recovered", "from_period": "2026-01", **BASE}


def test_the_entry_of_a_decision_says_who_and_when(tmp_path: Path) -> None:
    WAIVERS.add(tmp_path, WAIVERS.model.model_validate(WAIVER))
    (entry,) = entries(tmp_path)
    assert (entry.kind, entry.by, entry.at) == ("waiver", "A. Steward", "2026-07-01T12:00:00+00:00")
    assert entry.body == {**WAIVER, "lifts": "to_do"}


def test_kinds_do_not_mix(tmp_path: Path) -> None:
    WAIVERS.add(tmp_path, WAIVERS.model.model_validate(WAIVER))
    REBASES.add(tmp_path, REBASES.model.model_validate(REBASE))
    assert [len(kind.read(tmp_path)) for kind in (WAIVERS, REBASES)] == [1, 1]


def test_files_of_before_the_ledger_are_taken_over_once(tmp_path: Path) -> None:
    lines = [json.dumps(WAIVER), "", json.dumps({**WAIVER, "until": "2027-01-31"})]
    (tmp_path / "waivers.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "rebases.jsonl").write_text(json.dumps(REBASE) + "\n", encoding="utf-8")
    for _ in range(2):
        assert [waiver.until.isoformat() for waiver in WAIVERS.read(tmp_path)] == ["2026-12-31", "2027-01-31"]
        assert len(REBASES.read(tmp_path)) == 1
    said = [entry.body["taken_from"] for entry in entries(tmp_path)]
    assert said == ["waivers.jsonl, line 1", "waivers.jsonl, line 3", "rebases.jsonl, line 1"]
    assert sorted(path.name for path in tmp_path.glob("*.jsonl*")) == [
        "rebases.jsonl.taken-into-the-ledger",
        "waivers.jsonl.taken-into-the-ledger",
    ]


def test_a_take_over_that_was_cut_short_is_finished(tmp_path: Path) -> None:
    append(tmp_path, "waiver", {**WAIVER, "taken_from": "waivers.jsonl, line 1"}, "A. Steward")
    (tmp_path / "waivers.jsonl").write_text(f"{json.dumps(WAIVER)}\n" * 2, encoding="utf-8")
    assert len(WAIVERS.read(tmp_path)) == 2


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('{"check_id": "visit.key.unique", "by": "CANARY', id="half a line"),
        pytest.param("CANARY", id="no JSON"),
        pytest.param(json.dumps(WAIVER | {"CANARY": 1}), id="a key too many"),
        pytest.param(json.dumps(WAIVER | {"added": "CANARY"}), id="no time"),
        pytest.param(json.dumps(WAIVER | {"added": "2026-07-01T00:00:00"}), id="a time without a zone"),
        pytest.param("[]", id="a list"),
    ],
)
def test_a_broken_line_of_an_earlier_file_is_named_and_not_quoted(tmp_path: Path, line: str) -> None:
    path = tmp_path / "waivers.jsonl"
    path.write_text(f"{json.dumps(WAIVER)}\n{line}\n", encoding="utf-8")
    with pytest.raises(InputProblem, match=r"waivers\.jsonl, line 2: not a waiver") as caught:
        WAIVERS.read(tmp_path)
    assert "CANARY" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert entries(tmp_path) == (), "nothing is taken over before everything can be"
    assert path.exists()


def test_an_earlier_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "waivers.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputProblem, match="cannot be read"):
        WAIVERS.read(tmp_path)


def test_an_entry_that_is_no_decision_of_ours_is_named_and_not_quoted(tmp_path: Path) -> None:
    append(tmp_path, "waiver", WAIVER, "A. Steward")
    append(tmp_path, "waiver", {**WAIVER, "until": "CANARY"}, "A. Steward")
    with pytest.raises(InputProblem, match=r"ledger\.jsonl, line 2: not a waiver: until cannot be used") as caught:
        WAIVERS.read(tmp_path)
    assert "CANARY" not in str(caught.value)
    with pytest.raises(InputProblem, match="line 2"):
        WAIVERS.add(tmp_path, WAIVERS.model.model_validate(WAIVER))
