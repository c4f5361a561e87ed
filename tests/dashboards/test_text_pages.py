"""Numbers, evidence and definitions in words: each with its anchor, evidence apart from the outcomes of clinics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract import CONTRACT
from assets.contract.definitions import DETERIORATION, IMPACT_BANDS, REGION_MCIDS
from assets.contract.evidence import CORRECTIONS, EVIDENCE, Kind
from dashboards.markup import esc

if TYPE_CHECKING:
    from pathlib import Path


def text(site: Path, page: str) -> str:
    return (site / f"{page}.html").read_text(encoding="utf-8")


def test_every_published_number_has_its_anchor_and_words(network_site: Path) -> None:
    numbers, sources = text(network_site, "numbers"), text(network_site, "sources")
    for item in CONTRACT.statistics:
        assert f'<tr id="{item.versioned_id}">' in numbers
        assert f'<tr id="{item.versioned_id}">' in sources
        for words in (item.label, item.sentence, item.numerator, item.denominator, item.exclusions, item.window):
            assert esc(words) in numbers
        assert esc(item.method) in sources
        assert esc(item.source) in sources


def test_evidence_names_comparator_time_and_interval(network_site: Path) -> None:
    sources = text(network_site, "sources")
    for item in (item for item in EVIDENCE if item.kind is Kind.EFFECT):
        row = sources[sources.index(f'<tr id="evidence-{item.evidence_id}">') :].split("</tr>")[0]
        for words in (item.comparator, item.window, item.result, item.citation):
            assert f">{esc(words)}<" in row
    for correction in CORRECTIONS:
        assert esc(correction.claim) in sources
        assert esc(correction.literature) in sources


def test_evidence_shares_no_axis_with_the_change_of_patients(network_site: Path) -> None:
    assert 'data-plot="' not in text(network_site, "sources")
    for page in ("index", "scores", "quality"):
        assert "evidence-" not in text(network_site, page)
        assert all(item.result not in text(network_site, page) for item in EVIDENCE)


def test_definitions_say_when_and_in_which_version(network_site: Path) -> None:
    page = text(network_site, "definitions")
    for item in CONTRACT.definitions:
        assert f"{item.label}, version {item.version}" in page
    assert "pain of at most 1 at the discharge visit; motion" in page
    assert "none above it between; motion" in page
    assert "none above it between, or at the discharge visit; motion" in page
    for band in IMPACT_BANDS:
        assert f'<tr id="band-{band.band_id}">' in page
    assert f'<tr id="{DETERIORATION.rule_id}">' in page
    assert all(f'<tr id="mcid-{rule.condition_id}">' in page for rule in REGION_MCIDS)
    assert "not in force: the MCID of the measure counts" in page
