"""Published numbers ``numbers.html``: what each counts, of whom and over which time, generated from the contract.

The anchor of a row is the versioned id that stands beside the numbers in every table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.markup import clean
from dashboards.pages.text import paragraph, table, text_page

if TYPE_CHECKING:
    from dashboards.pages.frame import Page, SiteMeta
    from dashboards.published import Published

NAME, HEADING = "numbers", "Published numbers"
HEAD = ("Number", "Id and version", "In words", "Numerator", "Denominator", "Left out", "Time")


def build(published: Published, _: SiteMeta) -> Page:
    """Return the page; it needs the contract only. How each number is computed stands on the page of sources."""
    words = ("label", "versioned_id", "sentence", "numerator", "denominator", "exclusions", "window")
    rows = [
        (item.versioned_id, [clean(getattr(item, name)) for name in words]) for item in published.contract.statistics
    ]
    introduction = paragraph(
        "Every number of these pages and of their files names one of these. A version rises when a rule changes: only "
        "numbers of one version mean the same. Methods and their origin stand under Evidence and sources."
    )
    return text_page(NAME, HEADING, [("statistics", HEADING, introduction + table(HEADING, HEAD, rows))])
