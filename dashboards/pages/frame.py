"""The frame of every page: head with its walls, header, stamp line, footer."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plotly.offline import get_plotlyjs_version

from dashboards.markup import clean, esc
from dashboards.status import status_tag
from dashboards.words import listing, plural, stamp_text

if TYPE_CHECKING:
    from collections.abc import Sized

    from dashboards.pages.catalogue import CheckPage

PAGES = (
    ("index", "Overview"),
    ("recovery", "Recovery by condition"),
    ("clinics", "Clinics"),
    ("scores", "Scores"),
    ("safety", "Treatment and safety"),
    ("quality", "Data quality"),
    ("runs", "Pipeline runs"),
    ("definitions", "Definitions"),
    ("evidence", "Evidence pack"),
    ("numbers", "Numbers"),
    ("sources", "Sources"),
    ("guide", "How to read these pages"),
    ("runbook", "Runbook"),
    ("failures", "Failure codes"),
    ("audit-guide", "Auditor's guide"),
)
GUIDES = ("guide", "runbook", "failures", "audit-guide")
"""Pages that are not in the navigation, which has enough: every page leads to the first of them that there is."""
GUIDED = ("quality", "runs", "evidence", *GUIDES)
"""Pages at whose foot all guides stand: those of engineers and auditors, and the guides."""
START = PAGES[0][0]
"""The page that opens when a site is opened."""
NO_DATA = "No data has been published yet. Run the pipeline, then reload."

_PLOTLY_STYLE = "/*plotly*/"
_STYLE_HASH = base64.b64encode(hashlib.sha256(_PLOTLY_STYLE.encode()).digest()).decode()
_MAP_STYLE_HASH = "ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o="
"""Style sheet that plotly.js 4.1.1 adds for maps, drawn or not."""

# Plotly fills an existing style element through the object model, which a policy of hashes allows; it also styles
# single elements. ``file:`` lets the page be opened from disk in browsers that do not take 'self' for a file.
POLICY = (
    "default-src 'none'; script-src 'self' file:; "
    f"style-src-elem 'self' file: 'sha256-{_STYLE_HASH}' 'sha256-{_MAP_STYLE_HASH}'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'none'; base-uri 'none'; form-action 'none'"
)


ROUNDED = {
    "internal": "Counts of patients and their care are rounded to the nearest 5",
    "public": "Counts of patients are rounded to the nearest 5, shares that rest on few are marked as approximate,",
}
"""What a disclosure profile does to the numbers of a page, for its footer."""


@dataclass(frozen=True, slots=True)
class SiteMeta:
    """What the pages say about the run that made them. Nothing here may be the time of building.

    ``stamp`` is the latest extract stamp (ISO date, may be empty), ``minimum_group`` the smallest group about which a
    number is published. ``pages`` are the pages of this site by name: an audience may have fewer than all, and none
    of its pages leads to one that is not there. ``readers`` says in words for whom it was made (empty: for everybody
    who may see the installation), ``profile`` which disclosure profile its numbers have, ``banner`` what every page
    says first (empty: nothing), as that the release is held or stale. ``clinic`` is the key of the clinic for which
    alone the site is (empty: it is about all). ``withheld`` are the reasons, in words, why
    numbers of the page at hand are kept back; none as a rule. ``catalogue`` has every check, for the pages about them.
    """

    title: str
    stamp: str
    code_version: str
    contract_version: str
    checks_total: int
    checks_passed: int
    warnings: int
    is_simulated: bool
    minimum_group: int
    release: str = ""
    pages: tuple[str, ...] = tuple(name for name, _ in PAGES)
    profile: str = "internal"
    readers: str = ""
    banner: str = ""
    clinic: str = ""
    withheld: tuple[str, ...] = ()
    catalogue: tuple[CheckPage, ...] = field(default=(), repr=False)

    def has(self, page: str) -> bool:
        """Whether this site has the page."""
        return page in self.pages

    def named_clinics(self, clinics: Sized) -> int | None:
        """How many clinics the numbers of all are about, if the site names all of them."""
        return None if self.clinic else len(clinics)

    @property
    def data_to(self) -> str:
        """How recent the data are, in words."""
        return f"Data to {stamp_text(self.stamp)}" if self.stamp.strip() else "Date of the data not stated"

    @property
    def checks(self) -> str:
        """How the checks went, in words."""
        passed = f"{self.checks_passed:,} of {plural(self.checks_total, 'data check')} passed"
        return f"{passed}, {plural(self.warnings, 'warning')}" if self.warnings else passed

    @property
    def too_few(self) -> str:
        """The words that stand for a hidden group.

        What is hidden only so that a small group cannot be worked out looks the same: nobody is told which is which.
        """
        return f"{self._or_withheld}fewer than {self.minimum_group} episodes, or beside such a group"

    @property
    def too_few_patients(self) -> str:
        """The same where patients are counted."""
        return f"{self._or_withheld}fewer than {self.minimum_group} patients, or beside such a group"

    @property
    def hidden(self) -> str:
        """What stands for a hidden count in a table."""
        return "not shown" if self.withheld else "hidden"

    @property
    def _or_withheld(self) -> str:
        return "withheld or " if self.withheld else ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page: file name without ending, heading, HTML of its content, and what the engine needs (None: nothing)."""

    name: str
    heading: str
    body: str
    payload: dict[str, Any] | None = None
    styles: tuple[str, ...] = ()
    """Style sheets of ``static/`` that this page needs beside the common one."""
    chunks: dict[str, Any] = field(default_factory=dict)
    """Parts that the engine loads when they are asked for: file name without ending -> parts.

    ``payload["chunks"]["files"]`` says at the places of which values of its filter each file stands.
    """


def document(page: Page, meta: SiteMeta) -> str:
    """Return the whole page."""
    title = esc(clean(meta.title))
    data = f'<script src="data/{page.name}.js" defer></script>' if page.payload else ""
    sheets = "".join(f'<link rel="stylesheet" href="assets/{name}.css">' for name in page.styles)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{esc(POLICY)}">'
        '<meta name="referrer" content="no-referrer">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{esc(page.heading)} | {title}</title><link rel="icon" href="data:,">'
        f'<style id="plotly.js-style-global">{_PLOTLY_STYLE}</style><link rel="stylesheet" href="assets/style.css">'
        f"{sheets}"
        f'<script src="assets/theme.js"></script>{data}<script src="assets/app.js" defer></script></head>\n'
        f'<body data-plotly="assets/plotly-{get_plotlyjs_version()}.min.js">'
        '<a class="skip" href="#content">Skip to content</a>'
        f'<header><div class="bar"><p class="brand">{title}</p><nav aria-label="Pages">{_links(page.name, meta)}</nav>'
        '<div class="tools js-only"><button type="button" data-do="theme">Dark</button>'
        '<button type="button" data-do="print">Print</button></div></div></header>\n'
        f'<main id="content" tabindex="-1"><h1>{esc(page.heading)}</h1>{_stamp(meta)}{status_tag()}\n{_banner(meta)}'
        f"{page.body}</main>\n"
        f"{_footer(page.name, meta)}</body></html>\n"
    )


def contents(meta: SiteMeta) -> Page:
    """Return the first page of a site without an overview: links to the pages it has."""
    links = "".join(f'<li><a href="{name}.html">{label}</a></li>' for name, label in PAGES if meta.has(name))
    return Page(START, "Contents", f'<section class="text"><ul>{links}</ul></section>')


def empty() -> str:
    """Return the content of a page for which nothing was published."""
    return f'<p class="notice">{NO_DATA}</p>'


def _links(current: str, meta: SiteMeta) -> str:
    return "".join(
        f'<a href="{name}.html"{" aria-current=page" if name == current else ""}>{label}</a>'
        for name, label in PAGES
        if meta.has(name) and name not in GUIDES
    )


def _guides(meta: SiteMeta) -> list[str]:
    """Links to the guides that this site has."""
    return [f'<a href="{name}.html">{label}</a>' for name, label in PAGES if name in GUIDES and meta.has(name)]


def _guides_line(current: str, meta: SiteMeta) -> str:
    """All guides, in a line of its own at the foot."""
    links = _guides(meta) if current in GUIDED else []
    return f"<p>Guides: {' · '.join(links)}</p>" if links else ""


def _stamp(meta: SiteMeta) -> str:
    simulated = '<span class="pill">Simulated data</span> ' if meta.is_simulated else ""
    checks = esc(meta.checks) if meta.checks_total else ""
    if checks and meta.has("quality"):
        checks = f'<a href="quality.html">{checks}</a>'
    said = [f"<strong>{esc(meta.data_to)}</strong>", *([checks] if checks else []), *_guides(meta)[:1]]
    return f'<p class="stamp">{simulated}{" · ".join(said)}</p>'


def _banner(meta: SiteMeta) -> str:
    withheld = f"Numbers on this page are withheld because {listing(meta.withheld)}." if meta.withheld else ""
    said = (text for text in (meta.banner, withheld) if text)
    return "".join(f'<p class="notice banner">{esc(clean(text))}</p>' for text in said)


def _footer(current: str, meta: SiteMeta) -> str:
    simulated = "Simulated demonstration data: no patient is behind these numbers. " if meta.is_simulated else ""
    readers = f"Made for {esc(clean(meta.readers))}. " if meta.readers else ""
    release = f"Release {esc(clean(meta.release))} · " if meta.release else ""
    definitions = ' · <a href="definitions.html">Definitions and methods</a>' if meta.has("definitions") else ""
    return (
        f"<footer><p>{simulated}{readers}{ROUNDED[meta.profile]} and groups of fewer than {meta.minimum_group}, with "
        "what would tell them, are not shown, so that no one can be recognised. This page sends nothing anywhere and "
        "needs no network connection.</p>"
        f"<p>{release}Code {esc(clean(meta.code_version))} · contract {esc(clean(meta.contract_version))} · "
        f"plotly.js {get_plotlyjs_version()}{definitions}</p>{_guides_line(current, meta)}</footer>"
    )
