"""What is quoted from the literature: with comparator and window, and without a number where it comes from memory."""

from __future__ import annotations

import re

import pytest

from assets.contract import CONTRACT
from assets.contract.documents import evidence_page
from assets.contract.evidence import CORRECTIONS, EVIDENCE, Evidence, Kind
from assets.outcomes.tables.evidence import evidence, evidence_correction

ROWS = pytest.mark.parametrize("item", EVIDENCE, ids=lambda item: item.evidence_id)
IN_WORDS = ("direction", "mean", "none")


def test_ids_are_unique() -> None:
    assert len({item.evidence_id for item in EVIDENCE}) == len(EVIDENCE)
    assert len({item.correction_id for item in CORRECTIONS}) == len(CORRECTIONS)


@ROWS
def test_a_result_has_all_that_it_needs(item: Evidence) -> None:
    assert item.condition_id is None or item.condition_id in {known.condition_id for known in CONTRACT.conditions}
    assert item.citation
    assert item.outcome
    assert (item.effect is None) == (item.effect_type in IN_WORDS)
    assert bool(item.finding) == (item.effect_type in IN_WORDS)
    assert (item.low is None) == (item.high is None)
    if item.kind is Kind.EFFECT:
        assert item.comparator
        assert item.window
    if item.effect is not None and item.low is not None and item.high is not None:
        assert item.low <= item.effect <= item.high
    if item.effect_type in ("MD", "SMD", "adjusted MD"):
        assert item.low is not None
    if item.verified and item.effect_type != "none":
        assert item.url


@pytest.mark.parametrize(
    ("evidence_id", "result"),
    [
        ("neckmt", "MD -0.51 points (95% CI -0.95 to -0.06)"),
        ("tthp", "SMD -1.27 standard deviations (95% CI -3.56 to 1.03)"),
        ("msk3w", "SMD -0.69 standard deviations (95% CI -1.02 to -0.35)"),
        ("aebruise", "proportion 0.0755"),
        ("nhsci", "From memory: no number is shown until the source has been read."),
        ("none_sciatica", "No pooled evidence found."),
    ],
)
def test_results_in_words(evidence_id: str, result: str) -> None:
    (item,) = (item for item in EVIDENCE if item.evidence_id == evidence_id)
    assert item.result == result


def test_every_condition_has_a_row_about_needling() -> None:
    there = {item.condition_id for item in EVIDENCE if item.kind is Kind.EFFECT}
    assert {condition.condition_id for condition in CONTRACT.conditions} <= there
    none = {item.condition_id for item in EVIDENCE if item.effect_type == "none"}
    assert none == {"sciatica", "it_band_syndrome", "muscle_strain", "muscle_spasm"}


def test_nothing_from_memory_is_published_as_a_number() -> None:
    assert any(not item.verified for item in EVIDENCE)
    table = evidence()
    for row in table.iter_rows(named=True):
        if not row["verified"]:
            assert row["effect"] is row["low"] is row["high"] is None
            assert not re.search(r"\d", row["result"])
    assert len(table) == len(EVIDENCE)
    assert all(not re.search(r"0\.\d", item.literature) for item in CORRECTIONS if not item.verified)


def test_corrections_are_published_with_their_source() -> None:
    table = evidence_correction()
    assert len(table) == len(CORRECTIONS)
    assert all(table["source"].str.len_chars() > 0)
    assert not table.filter(~table["verified"]).is_empty()  # said from memory, and marked so


def test_the_page_shows_comparator_and_window_of_every_effect() -> None:
    page = evidence_page(CONTRACT)
    for item in EVIDENCE:
        assert item.result.replace("|", "\\|") in page
        if item.kind is Kind.EFFECT:
            assert f"| {item.comparator} | {item.outcome} | {item.window} |" in page
    assert all(item.claim in page and item.literature in page for item in CORRECTIONS)
