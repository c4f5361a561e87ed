"""The guides for the three readers: found from every page, whole, and in the words of the pages that they speak of."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING

import pytest

from assets.contract import CONTRACT
from assets.contract.definitions import COMPARISON_FLOOR_PERCENT, COMPLETENESS_TARGET_PERCENT
from assets.contract.failures import FAILURES
from assets.contract.runbook import CHAPTERS
from dashboards.clinic_words import ZONES
from dashboards.markup import esc
from dashboards.pages import guide, runbook
from dashboards.pages.frame import GUIDED, GUIDES, PAGES
from dashboards.sentences import NOT_RANDOMISED
from dashboards.site import build_site

if TYPE_CHECKING:
    from pathlib import Path

    from dashboards.site import SiteMeta

TAG = re.compile(r"<[^>]*>")
NAVIGATION = re.compile(r'<nav aria-label="Pages">(.*?)</nav>', re.DOTALL)


def html(site: Path, page: str) -> str:
    return (site / f"{page}.html").read_text(encoding="utf-8")


def words(site: Path, page: str) -> str:
    return re.sub(r"\s+", " ", unescape(TAG.sub("", html(site, page))))


@pytest.mark.parametrize("name", [name for name, _ in PAGES])
def test_every_page_leads_to_the_guides_and_its_navigation_does_not(network_site: Path, name: str) -> None:
    page = html(network_site, name)
    navigation = NAVIGATION.search(page)
    assert navigation
    foot = page.partition("<footer>")[2]
    for wanted in GUIDES:
        assert (f'href="{wanted}.html"' in foot) is (name in GUIDED)
        assert f'href="{wanted}.html"' not in navigation[1]
    assert 'href="guide.html"' in page.partition('class="stamp"')[2].partition("</p>")[0]


def test_a_site_of_engineers_leads_to_the_runbook(meta: SiteMeta, tmp_path: Path) -> None:
    build_site({}, CONTRACT, replace(meta, pages=("quality", "runbook")), tmp_path)
    assert 'href="runbook.html"' in html(tmp_path, "quality").partition('class="stamp"')[2].partition("</p>")[0]


def test_a_site_without_guides_leads_to_none(meta: SiteMeta, tmp_path: Path) -> None:
    build_site({}, CONTRACT, replace(meta, pages=("index", "definitions")), tmp_path)
    page = html(tmp_path, "index")
    assert "Guides:" not in page
    assert not any(f"{name}.html" in page for name in GUIDES)


def test_the_directors_guide_says_its_example_as_the_pages_do(network_site: Path, meta: SiteMeta) -> None:
    said = words(network_site, "guide")
    assert "53% of episodes of care ended in recovery (95% CI 51 to 54%) across 12 clinics; about 4,150 closed" in said
    assert "Outcomes are known for 74% of about 5,650 closed episodes. If no episode with an unknown outcome" in said
    assert f"The target is {COMPLETENESS_TARGET_PERCENT}%" in said
    assert f"under {COMPARISON_FLOOR_PERCENT}% of outcomes known is not compared" in said
    assert f"Groups of fewer than {meta.minimum_group} are not shown" in said
    assert NOT_RANDOMISED in said
    for zone in ZONES.values():
        assert zone.lower() in said


def test_the_example_holds_together() -> None:
    row = guide.EXAMPLE
    assert row["completeness"] == pytest.approx(row["n"] / row["eligible"], abs=0.001)
    recovered = row["rate"] * row["n"]
    assert row["rate_if_missing_none"] == pytest.approx(recovered / row["eligible"], abs=0.001)
    missing = row["eligible"] - row["n"]
    assert row["rate_if_missing_all"] == pytest.approx((recovered + missing) / row["eligible"], abs=0.001)
    error = 1.96 * (row["rate"] * (1 - row["rate"]) / row["n"]) ** 0.5
    assert row["rate_high"] - row["rate_low"] == pytest.approx(2 * error, abs=0.001)


def test_every_code_and_situation_has_its_anchor_and_words(network_site: Path) -> None:
    codes, book = html(network_site, "failures"), html(network_site, "runbook")
    for group in FAILURES:
        assert f'<section class="text" id="{group.anchor}">' in codes
        for failure in group.failures:
            assert f'<dt id="{failure.code}">{failure.code}</dt>' in codes
    for chapter in CHAPTERS:
        for one in chapter.situations:
            assert f'<dt id="{runbook.anchor(chapter, one)}">{esc(one.key)}</dt>' in book
    said = words(network_site, "failures") + words(network_site, "runbook")
    for text in (text for group in FAILURES for one in group.failures for text in (one.means, one.to_do)):
        assert text.replace("`", "") in said
    for text in (text for one in CHAPTERS for each in one.situations for text in (each.means, each.to_do)):
        assert text.replace("`", "") in said


def test_the_auditors_guide_names_the_release(meta: SiteMeta, tmp_path: Path) -> None:
    build_site({}, CONTRACT, replace(meta, release="0123456789ab"), tmp_path)
    assert "needlepoint audit sign 0123456789ab" in words(tmp_path, "audit-guide")
