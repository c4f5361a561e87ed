"""The quality page with an audit trail: run by run, what changed, who decided and signed, where the ledger stands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.wording import causal_claims
from dashboards.pages import quality, quality_runs
from dashboards.published import Published
from dashboards.site import build_site
from dashboards.status import write_status
from dashboards.words import DASH
from tests.dashboards import sample_frames, trail_frames
from tests.dashboards.chromium import text
from tests.dashboards.test_bars import axe
from tests.dashboards.test_quality_page import panel
from tests.dashboards.test_site_files import payload

if TYPE_CHECKING:
    from pathlib import Path

    from dashboards.site import SiteMeta
    from tests.dashboards.chromium import Visitor

PAGES = ("quality", "runs", "definitions", "evidence")
HELD = "episode.key.unique"


@pytest.fixture(scope="module")
def frames() -> dict[str, pl.DataFrame]:
    made = sample_frames.network()
    return {**made, **trail_frames.frames(made["check_summary"])}


@pytest.fixture(scope="module")
def about(meta: SiteMeta) -> SiteMeta:
    return replace(meta, pages=PAGES, release=trail_frames.RELEASE)


@pytest.fixture(scope="module")
def trail_site(frames: dict[str, pl.DataFrame], about: SiteMeta, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trail")
    build_site(frames, CONTRACT, about, out)
    return out


def test_the_page_says_how_the_last_run_ended_and_who_signed(trail_site: Path) -> None:
    page = (trail_site / "quality.html").read_text(encoding="utf-8")
    assert "The run of 9 November 2026, 06:04 UTC was held." in page
    assert "Quality team accepted this release on 8 October 2026, 06:04 UTC." in page
    assert 'class="tile alert" data-alert="release"' in page
    assert f"by {HELD}" in page
    assert "2 of the last 30 runs were held by a check." in page
    for words in (trail_frames.HASH, "1 new, 1 existing, 1 resolved; 1 stable", "1 of 2 comparisons is beyond"):
        assert words in page
    assert "3 in force, 1 expired, 1 replaced" in page


def test_a_site_without_a_trail_says_nothing_of_runs(network_site: Path) -> None:
    page = (network_site / "quality.html").read_text(encoding="utf-8")
    for words in ("run by run", "Last runs", "ledger", "signed", "was held"):
        assert words not in page


def test_every_run_stands_in_its_column(frames: dict[str, pl.DataFrame]) -> None:
    published = Published(frames, CONTRACT)
    made = quality_runs.results_of(published)
    assert made is not None
    assert len(made.names) == len(made.labels) == 30
    assert made.labels[-1] == "9 Nov"
    places = list(made.names)
    found = {check: [places.index(key) for key in runs if runs[key] == "fail"] for check, runs in made.by_check.items()}
    failed = {check: at for check, at in found.items() if at}
    assert failed["visit.key.unique"][-1] == places.index("run-33")
    assert failed[HELD] == [29]


def test_a_check_that_a_run_did_not_reach_is_not_run_there(frames: dict[str, pl.DataFrame]) -> None:
    gone = (pl.col("run_id") == "run-39") & (pl.col("check_id") != HELD)
    less = {**frames, "check_by_run": frames["check_by_run"].filter(~gone)}
    made = quality_runs.results_of(Published(less, CONTRACT))
    assert made is not None
    assert made.by_check["patient.schema"]["run-39"] == quality_runs.NOT_RUN
    assert quality_runs.say(made, frames["check_run"].to_dicts()).startswith("0 of 1 check passed")
    assert quality_runs.words([("a", "not_applicable")]) == "Not run, or nothing to check."


def test_words_and_strip_of_a_check_agree() -> None:
    found = [("a", "pass"), ("b", "warn"), ("c", "not_applicable"), ("d", "pass_with_violations"), ("e", "fail")]
    assert quality_runs.words(found) == "Passed in 2 of 4 runs. Not in that of b (! Warning) and e (✕ Failed)."
    assert quality_runs.strip(found) == f"✓!{DASH}•✕"


def test_the_panel_has_the_fields_of_the_trail(trail_site: Path) -> None:
    made = payload(trail_site / "data" / "quality.js")
    names = [value[0] for value in made["filters"][3]["values"]]
    said = panel(trail_site, names.index("visit.visit_key.required"))
    assert said["check.decided"] == "Waiver by Quality team until 24 December 2026"
    assert len(said["check.strip"]) == 30


def test_a_hostile_decision_stays_text(frames: dict[str, pl.DataFrame], about: SiteMeta) -> None:
    hostile = sample_frames.HOSTILE
    entries = [
        replace(entry, body={**entry.body, "because": hostile, "by": hostile}) for entry in trail_frames.entries()
    ]
    found = {**frames, **trail_frames.frames(frames["check_summary"], entries)}
    page = quality.build(Published(found, CONTRACT), about)
    assert "<script>alert" not in page.body
    assert "&lt;script&gt;" in page.body
    assert "\u202e" not in page.body


def test_before_anything_was_decided_the_page_stands(frames: dict[str, pl.DataFrame], about: SiteMeta) -> None:
    bare = {**frames, **trail_frames.frames(frames["check_summary"], []), "check_delta": frames["check_delta"].clear()}
    body = quality.build(Published(bare, CONTRACT), about).body
    for words in ("Nobody has signed", "No decision has been taken", "no release before to compare with"):
        assert words in body
    assert causal_claims(body) == []


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_a_held_run_and_its_check_are_found_by_eye_and_keyboard(
    visit: Visitor, trail_site: Path, theme: str, width: int
) -> None:
    write_status(trail_site, "The run was not released. It is held by check <b>x</b>.")
    made = visit(trail_site / "quality.html", theme=theme, width=width)
    page = made.page
    assert text(page, "main > .notice.banner") == "The run was not released. It is held by check <b>x</b>."
    assert page.locator("main > script").count() == 0
    page.locator("#runs_heat summary").first.click()
    button = page.locator(f"#runs_heat button[data-value='{HELD}']")
    button.press("Enter")
    page.locator("section.check").wait_for()
    assert "Not in that of 9 November 2026" in text(page, "section.check [data-slot='check.runs']")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
    assert axe(made) == []
    made.assert_clean()
    write_status(trail_site, "")
    page.reload()
    page.wait_for_selector("body[data-ready='1']")
    assert page.locator(".banner").count() == 0
