"""Runbook ``runbook.html``: what an engineer meets, what it means and what to do; codes have a page of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from assets.contract.runbook import CHAPTERS
from dashboards.markup import esc
from dashboards.pages.text import prose, text_page

if TYPE_CHECKING:
    from assets.contract.runbook import Chapter, Situation
    from dashboards.pages.frame import Page, SiteMeta
    from dashboards.published import Published

NAME, HEADING = "runbook", "Runbook"
FIRST = (
    "Look at the code that a message begins with: it stands under <a href='failures.html'>Failure codes</a>.",
    "No code? Find the words below: how a command ends, lines of a run, Dagster, alerts, the doctor, seals.",
    "A check? Its own page says what it asks, lists the query for its rows and what to do.",
    (
        "Nothing of these? <code>needlepoint doctor</code> looks at the installation, <code>needlepoint audit "
        "verify</code> at what was sealed, <code>needlepoint audit status</code> at what is held."
    ),
)
SAFE = (
    "Whatever stops, the release in force stays whole and readable, and what was sent is never moved or changed. The "
    "same command or job, run again, takes up what is left and gives the same bytes: when in doubt, run it again."
)
ANCHOR = re.compile(r"[^a-z0-9_]+")


def build(_: Published, meta: SiteMeta) -> Page:
    """Return the page; it needs the list of situations only."""
    first = "".join(f"<li>{text}</li>" for text in FIRST)
    checks = '<p><a href="quality.html">How the checks ended</a></p>' if meta.has("quality") else ""
    sections = [("first", "Where to begin", f"<p>{SAFE}</p><ul>{first}</ul>{checks}")]
    sections += [(chapter.anchor, chapter.title, _chapter(chapter)) for chapter in CHAPTERS]
    return text_page(NAME, HEADING, sections)


def anchor(chapter: Chapter, situation: Situation) -> str:
    """Where a situation stands on the page."""
    return f"{chapter.anchor}-{ANCHOR.sub('-', situation.key.lower()).strip('-')[:40].rstrip('-')}"


def _chapter(chapter: Chapter) -> str:
    found = (
        f'<dt id="{anchor(chapter, one)}">{esc(one.key)}</dt><dd>{prose(one.means)} {prose(one.to_do)}</dd>'
        for one in chapter.situations
    )
    return f"<p>{prose(chapter.opening)}</p><dl>{''.join(found)}</dl>"
