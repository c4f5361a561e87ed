"""Thresholds that people decide: kept in the ledger with reason and name, and applied from then on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from assets.audit.ledger import entries
from assets.contract import CONTRACT
from assets.contract.checks import Kind, delivery_checks
from assets.deliveries.ledger import Ledger
from assets.deliveries.problems import InputProblem
from assets.deliveries.state import extended_contract
from assets.quality.thresholds import (
    THRESHOLDS,
    ThresholdDecision,
    decided_thresholds,
    new_threshold,
    thresholds_digest,
)

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
USABLE = "visit.rows.usable"
KNOWN = {USABLE: Kind.USABLE, "visit.schema": Kind.SCHEMA}


def decision(
    check_id: str = USABLE, value: float = 0.1, because: str = "half of a table is far too much"
) -> ThresholdDecision:
    return new_threshold(check_id, value=value, by="A. Reviewer", because=because, now=NOW, known_checks=KNOWN)


def test_the_newest_decision_counts(tmp_path: Path) -> None:
    for value in (0.1, 0.3):
        THRESHOLDS.add(tmp_path, decision(value=value))
    THRESHOLDS.add(tmp_path, decision("visit.schema", 0.0))
    assert decided_thresholds(tmp_path) == {USABLE: 0.3, "visit.schema": 0.0}
    assert [(entry.kind, entry.by) for entry in entries(tmp_path)] == [("threshold", "A. Reviewer")] * 3


def test_a_decision_reaches_the_check(tmp_path: Path) -> None:
    THRESHOLDS.add(tmp_path, decision(value=0.1))
    contract = extended_contract(CONTRACT, Ledger(tmp_path / "lake"), ())
    found = {check.check_id: check for check in delivery_checks(contract, contract.table("visit"))}
    plain = {check.check_id: check for check in delivery_checks(CONTRACT, CONTRACT.table("visit"))}
    assert found[USABLE].tolerance == 0.1
    changed = {name for name, check in found.items() if check.tolerance != plain[name].tolerance}
    assert changed == {USABLE}


def test_without_a_decision_nothing_changes(tmp_path: Path) -> None:
    assert decided_thresholds(tmp_path) == {}
    assert thresholds_digest({}) == ""
    assert extended_contract(CONTRACT, Ledger(tmp_path / "lake"), ()) == CONTRACT


def test_a_release_depends_on_the_numbers_and_not_on_their_order() -> None:
    assert thresholds_digest({"a": 0.1, "b": 0.2}) == thresholds_digest({"b": 0.2, "a": 0.1})
    assert len({thresholds_digest(one) for one in ({"a": 0.1}, {"a": 0.2}, {"b": 0.1}, {})}) == 4


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"check_id": "visit.nothing"}, "no check has this name"),
        ({"value": 1.5}, "a share of rows is at most 1"),
        ({"value": -0.1}, "value cannot be used"),
        ({"value": float("nan")}, "value cannot be used"),
        ({"because": "short"}, "because cannot be used"),
    ],
)
def test_what_cannot_be_used_is_said(given: dict[str, object], said: str) -> None:
    with pytest.raises(InputProblem, match=said):
        decision(**given)  # type: ignore[arg-type]
