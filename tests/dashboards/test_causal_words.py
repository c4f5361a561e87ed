"""No causal word on any page, in any text that the page engine writes, or in any name of a figure."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from assets.contract.wording import causal_claims

if TYPE_CHECKING:
    from pathlib import Path

SITES = ("network_site", "trial_site", "empty_site")
TAG = re.compile(r"<[^>]*>")
SPOKEN = re.compile(r'\b(?:aria-label|alt|title|placeholder|content)="([^"]*)"')


def read_out(page: str) -> str:
    """What a page shows or says: text between tags and the texts of attributes that are read aloud."""
    return unescape(" ".join([TAG.sub(" ", page), *SPOKEN.findall(page)]))


@pytest.mark.parametrize("site", SITES)
def test_pages_claim_no_cause(site: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(site)
    pages = {path.name: read_out(path.read_text(encoding="utf-8")) for path in folder.glob("*.html")}
    assert len(pages) >= 6
    assert {name: causal_claims(text) for name, text in pages.items()} == {name: [] for name in pages}


@pytest.mark.parametrize("site", SITES)
def test_other_selections_claim_no_cause(site: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(site)
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("data/*.js")}
    texts |= {path.name: path.read_text(encoding="utf-8") for path in folder.glob("data/*.csv")}
    assert {name: causal_claims(text) for name, text in texts.items()} == {name: [] for name in texts}


@pytest.mark.parametrize(
    "page",
    [
        "<p>Needling <b>works</b></p>",
        '<svg aria-label="Needling improves motion"></svg>',
        "<caption>Weeks saved</caption>",
        "<title>Thanks&#32;to needling</title>",
    ],
)
def test_a_planted_claim_is_found(page: str) -> None:
    assert len(causal_claims(read_out(page))) == 1
