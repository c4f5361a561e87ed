"""No causal word in what reaches a reader: contract, catalogue, generated and written documents, names of tables."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assets.contract import CONTRACT
from assets.contract.definitions import DETERIORATION, IMPACT_BANDS, REGION_MCIDS
from assets.contract.documents import documents
from assets.contract.evidence import CORRECTIONS, EVIDENCE
from assets.contract.wording import ALLOWED, FORBIDDEN, causal_claims
from assets.outcomes.published import PUBLISHED_TABLES
from assets.quality.documents import documents as check_documents
from assets.warehouse.models import load_models

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
WRITTEN = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "assets").rglob("*.md"))]
EXAMPLES = {
    "works": ("Needling works.", "It worked for most patients."),
    "effective": ("An effective treatment", "the effectiveness of care"),
    "improves": ("Needling improves motion", "pain IMPROVED by 3 points", "an improvement of 2 points"),
    "reduces": ("needling reduces pain", "a reduction in pain"),
    "causes": ("needling causes relief", "relief caused by needling"),
    "due to": ("less pain due to needling", "due\nto needling"),
    "thanks to": ("less pain, thanks to needling",),
    "better treatment": ("Better treatments recover more",),
    "saves": ("saves visits", "weeks saved"),
    "accelerates": ("accelerates recovery", "accelerated recovery"),
}


def strings(value: object, place: str = "contract") -> Iterator[tuple[str, str]]:
    """Every text in a value and where it stands; codes (enumerations) are no text."""
    if isinstance(value, str) and not isinstance(value, Enum):
        yield place, value
    elif is_dataclass(value) and not isinstance(value, type):
        for part in fields(value):
            yield from strings(getattr(value, part.name), f"{place}.{part.name}")
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from strings(item, f"{place}[{number}]")


def claims(texts: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    return {place: found for place, text in texts if (found := causal_claims(text))}


def test_the_contract_and_the_catalogue_claim_no_cause() -> None:
    rules = (CONTRACT, DETERIORATION, IMPACT_BANDS, REGION_MCIDS, EVIDENCE, CORRECTIONS)
    assert len(list(strings(rules))) > 1000
    assert claims(strings(rules)) == {}


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_documents_claim_no_cause(path: Path) -> None:
    assert causal_claims(path.read_text(encoding="utf-8")) == []


def test_what_would_be_generated_claims_no_cause() -> None:
    made = {path.name: text for path, text in (documents(CONTRACT) | check_documents(CONTRACT)).items()}
    assert {name: causal_claims(text) for name, text in made.items()} == {name: [] for name in made}


def test_names_of_tables_and_models_claim_no_cause() -> None:
    assert claims(iter(PUBLISHED_TABLES.items())) == {}
    assert claims((model.relation, model.description) for model in load_models()) == {}


@pytest.mark.parametrize(
    ("word", "text"), [(word, text) for word, texts in EXAMPLES.items() for text in texts], ids=lambda value: value[:20]
)
def test_each_forbidden_word_is_found(word: str, text: str) -> None:
    assert word in FORBIDDEN
    assert len(causal_claims(text)) == 1
    assert len(causal_claims(f"Dry needling. {text} Pain was lower.")) == 1


def test_every_forbidden_word_has_an_example() -> None:
    assert set(EXAMPLES) == set(FORBIDDEN)


@pytest.mark.parametrize(
    "text",
    [
        "was associated with less pain, after adjustment for age, in patients who received needling",
        "This cannot show that needling caused it.",
        "workshops, network, clockwork, the work of a week, homework",
        "the effect of a comparator, a side effect",
        "because, causal, sauce",
        *ALLOWED,
    ],
)
def test_other_words_are_left_alone(text: str) -> None:
    assert causal_claims(text) == []


def test_an_allowed_phrase_does_not_cover_what_stands_beside_it() -> None:
    assert causal_claims("The effective sample size shows an effective treatment") == ["effective"]
    assert causal_claims("cannot show that needling caused it; needling caused it") == ["caused"]


@pytest.mark.parametrize(("phrase", "reason"), ALLOWED.items(), ids=list(ALLOWED))
def test_every_allowed_phrase_needs_its_entry_and_says_why(phrase: str, reason: str) -> None:
    assert reason
    assert any(re.search(rf"\b{forms}\b", phrase) for forms in FORBIDDEN.values())
