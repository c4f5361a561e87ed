"""Evidence and sources ``sources.html``: what the literature says, and where the method of each number comes from.

Results of trials stand in tables of their own: never on one axis with the change of patients in clinics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.evidence import CORRECTIONS, EVIDENCE, VERSION, Kind
from dashboards.markup import clean
from dashboards.pages.text import condition_label, paragraph, table, text_page
from dashboards.words import DASH

if TYPE_CHECKING:
    from assets.contract.model import Contract
    from dashboards.pages.frame import Page, SiteMeta
    from dashboards.published import Published

NAME, HEADING = "sources", "Evidence and sources"
GENERAL = "Musculoskeletal pain in general"
EVIDENCE_HEAD = ("Condition", "Intervention", "Compared with", "Outcome", "Time", "Result", "Certainty", "Citation")
CAUTION = (
    "Trials and reviews compare groups. The change of patients on the other pages compares nobody, so these results "
    "stand here and never on one axis with it. Negative differences of pain and disability are in favour of the "
    "intervention. MD: difference of means; SMD: the same in standard deviations, each about 2 points of pain."
)


def build(published: Published, _: SiteMeta) -> Page:
    """Return the page; it needs the contract only."""
    contract = published.contract
    sections = (
        ("evidence", "What the literature says", _evidence(contract)),
        ("corrections", "Often said", _corrections()),
        ("origins", "Methods of the published numbers", _methods(contract)),
    )
    return text_page(NAME, HEADING, sections)


def _evidence(contract: Contract) -> str:
    order = [None, *(item.condition_id for item in contract.conditions)]
    rows = [
        (
            f"evidence-{item.evidence_id}",
            (
                GENERAL if key is None else condition_label(contract, key),
                *(item.intervention, item.comparator, item.outcome, item.window, item.result),
                *(item.certainty or DASH, item.citation),
            ),
        )
        for key in order
        for item in EVIDENCE
        if item.kind is Kind.EFFECT and item.condition_id == key
    ]
    return paragraph(f"Reference data, version {VERSION}. {CAUTION}") + table(
        "Dry needling against something else", EVIDENCE_HEAD, rows
    )


def _corrections() -> str:
    rows = [
        (
            f"correction-{item.correction_id}",
            (item.claim, item.literature, f"{item.source} {'✓' if item.verified else '? from memory'}"),
        )
        for item in CORRECTIONS
    ]
    return table("Often said", ("Statement", "What the literature says", "Source"), rows)


def _methods(contract: Contract) -> str:
    rows = [
        (item.versioned_id, (clean(item.label), clean(item.method), clean(item.source))) for item in contract.statistics
    ]
    return table("Methods of the published numbers", ("Number", "Method", "Source"), rows)
