"""The catalogue of checks: plain pages without scripts of their own, one for each check, for each stage, and for all.

An engineer finds the query that lists what violates a check; a reader of the numbers finds what a failure means.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.contract.check_kinds import STAGES, Stage
from assets.contract.thresholds import threshold
from dashboards.markup import clean, esc
from dashboards.pages.plain import plain_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assets.contract.checks import Check
    from dashboards.pages.frame import SiteMeta

NAME, HEADING = "checks", "Checks"
ENGINE = "Great Expectations, in DuckDB"
WITHOUT_QUERY = "The check speaks of a column as a whole: no row violates it."


@dataclass(frozen=True, slots=True)
class CheckPage:
    """A check and the query that lists what violates it; empty where it speaks of a whole column."""

    check: Check
    sql: str


def catalogue_files(meta: SiteMeta) -> Iterator[tuple[str, bytes]]:
    """Return the files of the catalogue, by place in the site; none where the site has no page about quality."""
    if not meta.catalogue or not meta.has("quality"):
        return
    yield f"{NAME}.html", plain_document(HEADING, _contents(meta.catalogue), meta, "").encode()
    for stage, (title, words) in STAGES.items():
        of_stage = [page for page in meta.catalogue if page.check.stage is stage]
        body = f'<section class="text"><p>{esc(words)}</p>{_listed(of_stage)}</section>'
        yield f"{NAME}/stage-{stage}.html", plain_document(title, body, meta, "../").encode()
    for page in meta.catalogue:
        name = f"{NAME}/{page.check.check_id}.html"
        yield name, plain_document(clean(page.check.title), _about(page), meta, "../").encode()


def _contents(pages: Sequence[CheckPage]) -> str:
    counts = Counter(page.check.stage for page in pages)
    rows = "".join(
        f'<dt><a href="{NAME}/stage-{stage}.html">{title}</a>: {counts[stage]:,} checks</dt><dd>{esc(words)}</dd>'
        for stage, (title, words) in STAGES.items()
    )
    return (
        f'<section class="text"><p>{len(pages):,} checks stand between what clinics send and what is shown. '
        f'How they ended: <a href="quality.html">Data quality</a>.</p><dl>{rows}</dl></section>'
    )


def _listed(pages: Sequence[CheckPage]) -> str:
    found: dict[str, list[str]] = {}
    for page in pages:
        check = page.check
        entry = f'<li><a href="{esc(check.check_id)}.html">{esc(clean(check.title))}</a></li>'
        found.setdefault(check.table, []).append(entry)
    return "".join(f"<h2>{esc(clean(table))}</h2><ul>{''.join(entries)}</ul>" for table, entries in found.items())


def _about(page: CheckPage) -> str:
    check, facts = page.check, page.check.facts
    limit = threshold(check.check_id, check.kind)
    number = limit.value if check.score_sql else check.tolerance
    decided = "" if number == limit.value else f" People of this home decided so; it was {_number(limit.value)}."
    about = f"{check.table}, {check.column}" if check.column else check.table
    facts_of = (
        ("Id", check.check_id),
        ("About", about),
        ("Kind", f"{check.kind}: {check.category}, {check.dimension}"),
        ("Runs", f"{STAGES[check.stage][1]} By {ENGINE}."),
        ("If it fails", _fails(check)),
        ("Threshold", f"{_passes(check, number)} {limit.reason}. ({limit.owner}, since {limit.since}){decided}"),
        ("Owner", facts.owner),
        ("Since", f"{facts.since}, rule changed {facts.changed}" if facts.changed else facts.since),
    )
    listed = "".join(f"<dt>{label}</dt><dd>{esc(clean(text))}</dd>" for label, text in facts_of)
    query = (
        f'<pre style="white-space:pre-wrap"><code>{esc(page.sql)}</code></pre>'
        if page.sql
        else f"<p>{WITHOUT_QUERY}</p>"
    )
    return (
        f'<section class="text"><p>{esc(clean(check.sentence))}</p><p>{esc(facts.why)}</p><dl>{listed}</dl>'
        f"<h2>What violates it</h2>{query}"
        f"<h2>For the engineer</h2><p>{esc(facts.engineer)}</p>"
        f"<h2>For the reader of the numbers</h2><p>{esc(facts.reader)}</p></section>"
    )


def _passes(check: Check, number: float) -> str:
    if check.score_sql:
        return f"It warns above a score of {number:g}."
    return f"It passes while at most {_number(number)} violate it." if number else "It passes if nothing violates it."


def _number(share: float) -> str:
    return f"{100 * share:g}%"


def _fails(check: Check) -> str:
    aside = "The rows that violate it are set aside with their reason until they are corrected."
    if not check.blocks:
        return aside if check.sets_aside else "A warning: nothing is set aside and nothing is held."
    if check.stage is Stage.DELIVERY:
        return "The delivery is held: none of its rows is counted."
    held = "the release is held: the one before stays."
    return f"{aside} Above the threshold {held}" if check.sets_aside else held.capitalize()
