"""Pipeline runs and evidence pack: rows add up, the clock is in the bundle for engineers only."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.wording import causal_claims
from assets.packages import PACKAGES
from assets.publication.run_history import run_frames
from assets.publication.run_log import RunRecord, Runs, RunState
from dashboards.figures import run_time, step_time
from dashboards.pages import evidence, runs
from dashboards.pages.runs_log import STATES, duration
from dashboards.published import Published
from dashboards.site import build_site
from dashboards.words import DASH
from tests.dashboards import sample_frames
from tests.dashboards.chromium import text
from tests.dashboards.test_site_files import payload

if TYPE_CHECKING:
    from pathlib import Path

    from dashboards.site import SiteMeta
    from tests.dashboards.chromium import Visitor

ENDED = {
    3: RunState.HELD,
    5: RunState.FAILED,
    7: RunState.UNCHANGED,
    9: RunState.UNFINISHED,
    11: RunState.WARNED,
    12: RunState.READ,
}
TODAY = date(2026, 9, 22)


def history(days: int = 20) -> Runs:
    """A run a day, each way in which one can end; the last one is slow."""
    start = datetime.fromisoformat("2026-09-01T06:00:00+00:00")
    records = [
        RunRecord(
            run_id=f"run-{day}",
            kind="run",
            started=(start + timedelta(days=day)).isoformat(),
            code_version="c0de",
            contract_version="2",
            packages={},
            release_before=None,
            state=(state := ENDED.get(day, RunState.RELEASED)),
            seconds=None if state is RunState.UNFINISHED else 252.4 + (900 if day == days - 1 else day % 3),
            release="abc",
            deliveries={"d": "accepted"},
            rows_in=100,
            rows_used=90,
            rows_set_aside=7,
            rows_rejected=3,
            held_by=("visit.visit_key.unique",) if state is RunState.HELD else (),
            problems=("DISK", "MemoryError") if state is RunState.FAILED else (),
            site_bytes=12_345_678,
            steps={"publication__site": 4.0, "models": 100.0},
        )
        for day in range(days)
        if day != 13
    ]
    return Runs(tuple(records), 0)


@pytest.fixture(scope="module")
def frames() -> dict[str, pl.DataFrame]:
    return sample_frames.network()


@pytest.fixture(scope="module")
def ops_site(frames: dict[str, pl.DataFrame], meta: SiteMeta, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("ops")
    pages = ("quality", "runs", "definitions", "evidence")
    build_site({**frames, **run_frames(history(), TODAY)}, CONTRACT, replace(meta, pages=pages, release="abc"), out)
    return out


def test_the_page_of_a_release_has_no_clock(network_site: Path) -> None:
    page = (network_site / "runs.html").read_text(encoding="utf-8")
    assert "needlepoint publish --audience ops" in page
    assert not re.search(r"UTC|\d+ min \d+ s|Last run", page)
    assert 'class="days"' not in page


def test_rows_add_up_for_every_delivery(network_site: Path, frames: dict[str, pl.DataFrame]) -> None:
    rows = payload(network_site / "data" / "runs.js")["rows"]["rows"]
    assert len(rows) == frames["conservation"].height
    for _, _, _, received, *parts, verdict in rows:
        assert received == sum(parts)
        assert verdict == "✓ Exact"


def test_rows_that_do_not_add_up_are_said(frames: dict[str, pl.DataFrame], meta: SiteMeta) -> None:
    wrong = {**frames, "conservation": frames["conservation"].with_columns(accepted=pl.col("accepted") - 1)}
    page = runs.build(Published(wrong, CONTRACT), meta)
    assert "do not add up" in page.body
    assert 'class="tile alert" data-alert="reconcile"' in page.body
    assert "do not add up" not in runs.build(Published(frames, CONTRACT), meta).body


def test_sources_are_deliveries_without_their_stamp(frames: dict[str, pl.DataFrame], meta: SiteMeta) -> None:
    one = frames["conservation"].head(1)
    labels = ("east_20260701T020000Z", "east_20260801T020000Z", "east-2026-09-01", "20260101", "west")
    several = pl.concat(
        [
            one.with_columns(
                delivery_id=pl.lit(f"d{place}"), label=pl.lit(label), extract_stamp=pl.lit(f"2026-0{place + 1}-01")
            )
            for place, label in enumerate(labels)
        ]
    )
    page = runs.build(Published({**frames, "conservation": several}, CONTRACT), meta)
    rows = {row[0]: row[1:3] for row in (page.payload or {})["rows"]["sources"]}
    assert rows == {"20260101": ["1 April 2026", 1], "east": ["1 March 2026", 3], "west": ["1 May 2026", 1]}


def test_versions_are_listed(network_site: Path, meta: SiteMeta) -> None:
    rows = dict(payload(network_site / "data" / "runs.js")["rows"]["versions"])
    assert rows["Code"] == meta.code_version
    assert len(rows) == len(PACKAGES) + 5


def test_the_bundle_for_engineers_begins_with_the_last_run(ops_site: Path) -> None:
    page = (ops_site / "runs.html").read_text(encoding="utf-8")
    assert "The run of 20 September 2026, 06:00 UTC was released." in page
    assert "It took 19 min 12 s." in page
    assert 'class="tile alert" data-alert="took"' in page
    assert "▼ not usual" in page
    assert page.count('<li class="d-') == 60
    for state, count in {"d-held": 1, "d-failed": 1, "d-unchanged": 1, "d-unfinished": 1, "d-warned": 1}.items():
        assert page.count(f'class="{state}"') == count
    # 19 days had a run
    assert page.count('class="d-none"') == 41
    assert (ops_site / "data" / "run.csv").exists()


def test_tables_of_runs_are_whole(ops_site: Path) -> None:
    rows = payload(ops_site / "data" / "runs.js")["rows"]
    assert len(rows["runs"]) == len(rows["changes"]) == 19
    for row in rows["runs"]:
        assert row[6] == sum(row[7:10])
    assert {row[1] for row in rows["runs"]} == {" ".join(words) for words in STATES.values()}
    why = {row[1]: row[2] for row in rows["runs"]}
    assert why["■ Held"] == "visit.visit_key.unique"
    assert why["✕ Failed"] == "DISK; MemoryError"
    assert why["● Released"] == ""
    assert rows["steps"][0][0] == "Models"
    assert rows["days"][0][0] == "20 September 2026"


def test_a_refusal_and_a_failure_lead_to_what_their_code_means(
    network_site: Path, frames: dict[str, pl.DataFrame], meta: SiteMeta
) -> None:
    states = [row[2] for row in payload(network_site / "data" / "runs.js")["rows"]["rows"]]
    assert states.count(["Rejected", "TRUNCATED"]) == 1
    assert states.count("Accepted") == len(states) - 1
    for name in ("runs", "quality"):
        page = (network_site / f"{name}.html").read_text(encoding="utf-8")
        assert re.findall(r'href="(failures.html#\w+)"', page) == ["failures.html#TRUNCATED"]
    logged = Published({**frames, **run_frames(history(), TODAY)}, CONTRACT)
    links = re.findall(r'href="failures.html#(\w+)"', runs.build(logged, meta).body)
    assert links == ["DISK", "TRUNCATED"], "MemoryError is the name of an error, not a code"
    elsewhere = replace(meta, pages=("runs",))
    assert "failures.html" not in runs.build(logged, elsewhere).body
    well = {**frames, "conservation": frames["conservation"].filter(pl.col("state") == "accepted")}
    assert "What the codes mean" not in runs.build(Published(well, CONTRACT), meta).body


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (RunState.HELD, "was held.</strong> <span> It took 5.0 s. Held by visit.key.unique."),
        (RunState.UNFINISHED, "did not finish."),
        (RunState.UNCHANGED, "found nothing new."),
        (RunState.READ, "read what had arrived."),
        (RunState.FAILED, "failed."),
    ],
)
def test_the_lead_says_how_the_last_run_ended(
    frames: dict[str, pl.DataFrame], meta: SiteMeta, state: RunState, words: str
) -> None:
    last = replace(
        history(1).records[0],
        state=state,
        seconds=None if state is RunState.UNFINISHED else 5.0,
        held_by=("visit.key.unique",) if state is RunState.HELD else (),
    )
    page = runs.build(Published({**frames, **run_frames(Runs((last,), 0), TODAY)}, CONTRACT), meta)
    assert words in page.body
    assert ('class="tile alert" data-alert="state"' in page.body) is (state not in (RunState.UNCHANGED, RunState.READ))


def test_one_run_or_none_is_a_page_too(frames: dict[str, pl.DataFrame], meta: SiteMeta) -> None:
    first = runs.build(Published({**frames, **run_frames(history(1), TODAY)}, CONTRACT), meta)
    assert "too few runs to compare with" in first.body
    assert runs.build(Published({}, CONTRACT), meta).payload is None
    none = runs.build(Published({**frames, **run_frames(Runs((), 0), TODAY)}, CONTRACT), meta)
    assert "needlepoint publish --audience ops" in none.body


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, DASH), (0.04, "0.0 s"), (59.4, "59.4 s"), (252.4, "4 min 12 s"), (3700, "61 min 40 s")],
)
def test_durations_in_words(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_figures_are_valid(rows: int) -> None:
    schema = {"label": pl.String, "day": pl.String, "seconds": pl.Float64, "usual_low": pl.Float64}
    schema |= {"usual_high": pl.Float64, "is_unusual": pl.Boolean}
    row = {"label": "<b>", "day": "1 Jul", "seconds": 3.0, "usual_low": 1.0, "usual_high": 4.0, "is_unusual": None}
    wide = {**row, "usual_low": None, "usual_high": None, "is_unusual": True}
    frame = pl.DataFrame([row, wide, row, wide, row][:rows], schema=schema)
    for module in (run_time, step_time):
        made = module.figure(frame)
        assert sum(len(trace.x) for trace in made.data if trace.mode == "markers") == rows
    assert "<b>" not in str(step_time.figure(frame).layout.yaxis.ticktext)


def test_no_causal_words(ops_site: Path) -> None:
    for name in ("runs.html", "evidence.html", "data/runs.js"):
        assert causal_claims((ops_site / name).read_text(encoding="utf-8")) == []


def test_the_evidence_page_leads_to_the_pack_of_this_release(ops_site: Path, meta: SiteMeta) -> None:
    page = (ops_site / "evidence.html").read_text(encoding="utf-8")
    assert 'href="evidence/2026-10-31_abc/index.html"' in page
    assert "sha256sum -c SHA256SUMS" in page
    assert "href" not in evidence.build(Published({}, CONTRACT), meta).body


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_pages_of_engineers_open_without_a_word(visit: Visitor, ops_site: Path, width: int, theme: str) -> None:
    for name in ("runs", "evidence"):
        made = visit(ops_site / f"{name}.html", width=width, theme=theme)
        assert text(made.page, "h1")
        assert made.page.evaluate("document.documentElement.scrollWidth") <= width
        assert made.page.locator("[data-plot] svg.main-svg").count() >= made.page.locator("[data-plot]").count()
        made.assert_clean()
