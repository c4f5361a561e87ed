"""Failure codes ``failures.html``: what a message begins with, what it means, what to do and what is not lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.failures import FAILURES
from dashboards.markup import esc
from dashboards.pages.text import prose, text_page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assets.contract.failures import FailureGroup
    from dashboards.pages.frame import Page, SiteMeta
    from dashboards.published import Published

NAME, HEADING = "failures", "Failure codes"
INTRODUCTION = (
    "A message says its code, where, what, and what to do: `EMPTY: visit.csv: the file is empty. Send it again.` "
    "Commands print it, Dagster shows it at the failed step, the record of a delivery keeps it, alerts name the "
    "code. It never holds a value of a patient. The messages word for word are in `assets/contract/FAILURES.md` "
    "beside the code."
)


def build(_: Published, __: SiteMeta) -> Page:
    """Return the page; it needs the catalogue of codes only."""
    sections = [("read", "How to read a message", f"<p>{prose(INTRODUCTION)}</p>")]
    sections += [(group.anchor, group.title, _group(group)) for group in FAILURES]
    return text_page(NAME, HEADING, sections)


def links_to(codes: Iterable[str | None], meta: SiteMeta) -> str:
    """Return a line of another page: where each of these codes is explained. Empty if none is, or not in this site."""
    known = {one.code for group in FAILURES for one in group.failures}
    links = [f'<a href="{NAME}.html#{esc(code)}">{esc(code)}</a>' for code in sorted(known & set(codes))]
    if not links or not meta.has(NAME):
        return ""
    return f'<p class="say">What the codes mean, and what to do: {", ".join(links)}.</p>'


def _group(group: FailureGroup) -> str:
    found = (
        f'<dt id="{esc(one.code)}">{esc(one.code)}</dt><dd>{prose(one.means)} {prose(one.to_do)}</dd>'
        for one in group.failures
    )
    return f"<p>{prose(group.kept)}</p><dl>{''.join(found)}</dl>"
