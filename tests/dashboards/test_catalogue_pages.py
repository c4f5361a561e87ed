"""Every check has a page that says what it asks, how it is judged, and what to do."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.check_kinds import KINDS, Kind, Stage
from assets.contract.thresholds import threshold
from assets.publication.site_meta import check_pages
from assets.quality.catalogue import SCHEMA, all_checks, catalogue_frame
from assets.quality.documents import FILE, check_catalogue
from dashboards.markup import esc
from dashboards.pages import quality
from dashboards.pages.catalogue import catalogue_files
from dashboards.published import Published
from dashboards.site import build_site
from tests.dashboards import sample_frames
from tests.dashboards.chromium import Visitor
from tests.dashboards.test_bars import OPEN_ALL, axe

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from dashboards.site import SiteMeta

PAGES = check_pages(CONTRACT)
BIGGEST = 60_000


@pytest.fixture(scope="module")
def whole(meta: SiteMeta) -> SiteMeta:
    return replace(meta, catalogue=PAGES)


@pytest.fixture(scope="module")
def texts(whole: SiteMeta) -> dict[str, str]:
    return {name: content.decode() for name, content in catalogue_files(whole)}


def test_at_least_300_checks_each_stated_once() -> None:
    checks = all_checks(CONTRACT)
    ids = [check.check_id for check in checks]
    assert len(ids) == len(set(ids)) >= 800
    assert {check.stage for check in checks} == set(Stage)
    assert {check.kind for check in checks} == set(Kind) == set(KINDS)
    assert all(re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", name) for name in ids)
    assert all(check.title and check.sentence.endswith(".") for check in checks)
    assert all(check.violated_sql and check.evaluated_sql for check in checks if check.stage is not Stage.DELIVERY) is (
        False  # rules between rows are decided by the models, so they have no query of their own
    )


def test_a_table_holds_the_whole_catalogue() -> None:
    frame = catalogue_frame(CONTRACT)
    assert frame.schema == SCHEMA
    assert frame.height == len(PAGES)
    required = [name for name in SCHEMA.names() if name not in ("column_name", "changed", "violated_sql")]
    assert frame.select(pl.col(required).null_count()).row(0) == (0,) * len(required)
    without_query = frame.filter(pl.col("violated_sql").is_null())
    assert set(without_query["kind"]) == {"schema", "type"}


def test_every_check_has_its_page(texts: dict[str, str]) -> None:
    for page in PAGES:
        text = texts[f"checks/{page.check.check_id}.html"]
        limit = threshold(page.check.check_id, page.check.kind)
        for said in (
            *(page.check.sentence, page.check.facts.why, page.check.facts.engineer, page.check.facts.reader),
            *(page.sql, page.check.dimension, limit.reason, limit.owner, limit.since.isoformat()),
        ):
            assert esc(said) in text, (page.check.check_id, said)
    assert len(texts) == len(PAGES) + len(Stage) + 1
    assert max(len(text.encode()) for text in texts.values()) <= BIGGEST


def test_every_link_leads_to_a_page(texts: dict[str, str], whole: SiteMeta) -> None:
    linked = set()
    for name, text in texts.items():
        folder = name.rpartition("/")[0]
        for target in re.findall(r'href="([^"#]+\.html)"', text):
            place = target.removeprefix("../") if target.startswith("../") else f"{folder}/{target}".lstrip("/")
            assert place in texts or place.removesuffix(".html") in whole.pages, (name, target)
            linked.add(place)
    assert {f"checks/{page.check.check_id}.html" for page in PAGES} <= linked


def test_the_panel_of_a_check_leads_to_its_page(texts: dict[str, str], whole: SiteMeta, meta: SiteMeta) -> None:
    published = Published(sample_frames.network(), CONTRACT)
    link = '<a data-href="check.page" hidden>'
    made = quality.build(published, whole)
    assert link in made.body
    states = [state for parts in made.chunks.values() for part in parts for state in part["states"].values()]
    targets = [state["text"].get("check.page") for state in states]
    assert len(targets) == len(published.rows("check_summary"))
    assert set(targets) - {None}, "at least one check of the sample is in the catalogue"
    assert set(targets) - {None} <= set(texts)
    assert link not in quality.build(published, replace(meta, catalogue=())).body, "it would lead nowhere"


def test_a_site_without_quality_has_none(whole: SiteMeta) -> None:
    assert list(catalogue_files(replace(whole, pages=("index",)))) == []
    assert list(catalogue_files(replace(whole, catalogue=()))) == []


def test_a_decided_threshold_is_said(meta: SiteMeta) -> None:
    changed = replace(CONTRACT, thresholds={"visit.day_offset.starts_at_zero": 0.1})
    files = dict(catalogue_files(replace(meta, catalogue=check_pages(changed))))
    said = files["checks/visit.day_offset.starts_at_zero.html"].decode()
    assert "at most 10% violate it" in said
    assert "it was 5%" in said


def test_the_document_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == check_catalogue(CONTRACT), "run needlepoint docs"


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_pages_are_accessible_and_quiet(
    browser: Browser, whole: SiteMeta, tmp_path: Path, theme: str, width: int
) -> None:
    build_site({}, CONTRACT, whole, tmp_path)
    visitor = Visitor(browser)
    for name in (
        *("checks", "checks/stage-statistics", "checks/patient.schema"),
        *("checks/measurement.value.possible.nprs_avg24h", "checks/statistics.recovery_curve.day.monotone"),
    ):
        visit = visitor(tmp_path / f"{name}.html", width=width)
        visit.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        visit.page.evaluate(OPEN_ALL)
        assert axe(visit) == [], name
        assert visit.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
        assert visit.messages == []
        assert [url for url in visit.outside if not url.startswith(tmp_path.as_uri())] == []
    visitor.close()
