"""A blocking check holds a delivery; a waiver lets it in until it ends; then it holds the release."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from assets.audit.verify import verify
from assets.deliveries.ledger import State
from pipelines.cli import cli
from tests.pipelines.test_quarantine import PROFILE, rows, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHECKS = tuple(f"{table}.rows.usable" for table in ("patient", "episode", "visit", "measurement"))
"""A source row whose score is a word is set aside whole, with its patient, episode and visit."""
TODAY = datetime.now(UTC)  # of landing, which a waiver ends by; the command takes no day that has passed


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("profile") / "mine.yaml"
    path.write_text(PROFILE, encoding="utf-8")
    return path


@pytest.mark.long
def test_a_waiver_lets_a_held_delivery_in_until_it_ends(
    make_installation: Callable[..., Any], profile: Path, tmp_path: Path
) -> None:
    unreadable = [(*row[:5], "word") if number < 25 else row for number, row in enumerate(rows())]
    bad = write(tmp_path / "visits_20260701T000000Z.csv", unreadable)
    first = make_installation([bad], profile)
    assert (first.outcome.exit_code, first.outcome.release) == (1, None)
    assert first.outcome.held == [f"{bad.name}: Held by {', '.join(CHECKS)}"]

    until = (TODAY + timedelta(days=30)).date().isoformat()
    reason = ["--by", "A. Steward", "--because", "the clinic lost its paper forms", "--until", until]
    for check in CHECKS:
        said = CliRunner().invoke(cli, ["audit", "waive", check, "--home", str(first.home.path), *reason])
        assert said.output == f"Holds nothing back until {until}; what it held is judged again in the next run.\n"
    again = make_installation([bad], profile, first.home)
    assert again.outcome.released, again.outcome.held_by
    assert [delivery.state for delivery in again.outcome.read] == [State.ACCEPTED]
    summary = {row["check_id"]: row["status"] for row in again.published("check_summary").to_dicts()}
    assert {summary[check] for check in CHECKS} == {"fail"}, "they are waived, not passed"
    assert again.published("waiver_in_force").rows() == [(check, "hold", until, None) for check in sorted(CHECKS)]
    assert not set(CHECKS) & set(again.published("withheld")["check_id"])

    later = (TODAY + timedelta(days=40)).strftime("%Y%m%dT%H%M%SZ")
    good = write(tmp_path / f"visits_{later}.csv", rows())
    ended = make_installation([good], profile, first.home)
    assert (ended.outcome.released, ended.outcome.release) == (False, again.outcome.release)
    assert ended.outcome.held_by == [
        f"Held by {check} of {bad.name}, whose waiver has ended" for check in sorted(CHECKS)
    ]
    assert verify(first.home).broken == ()
