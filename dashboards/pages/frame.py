"""The frame of every page: head with its walls, header, stamp line, footer."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from plotly.offline import get_plotlyjs_version

from dashboards.markup import clean, esc
from dashboards.words import plural, stamp_text

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
)
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


@dataclass(frozen=True, slots=True)
class SiteMeta:
    """What the pages say about the run that made them. Nothing here may be the time of building.

    ``stamp`` is the latest extract stamp (ISO date, may be empty), ``minimum_group`` the smallest group about which a
    number is published.
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
        """The words that stand for a hidden group."""
        return f"fewer than {self.minimum_group} episodes"

    @property
    def too_few_patients(self) -> str:
        """The same where patients are counted."""
        return f"fewer than {self.minimum_group} patients"

    @property
    def hidden(self) -> str:
        """What stands for a hidden count in a table."""
        return f"<{self.minimum_group}"


@dataclass(frozen=True, slots=True)
class Page:
    """A page: file name without ending, heading, HTML of its content, and what the engine needs (None: nothing)."""

    name: str
    heading: str
    body: str
    payload: dict[str, Any] | None = None
    styles: tuple[str, ...] = ()
    """Style sheets of ``static/`` that this page needs beside the common one."""


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
        f'<header><div class="bar"><p class="brand">{title}</p><nav aria-label="Pages">{_links(page.name)}</nav>'
        '<div class="tools js-only"><button type="button" data-do="theme">Dark</button>'
        '<button type="button" data-do="print">Print</button></div></div></header>\n'
        f'<main id="content" tabindex="-1"><h1>{esc(page.heading)}</h1>{_stamp(meta)}\n{page.body}</main>\n'
        f"{_footer(meta)}</body></html>\n"
    )


def empty() -> str:
    """Return the content of a page for which nothing was published."""
    return f'<p class="notice">{NO_DATA}</p>'


def _links(current: str) -> str:
    return "".join(
        f'<a href="{name}.html"{" aria-current=page" if name == current else ""}>{label}</a>' for name, label in PAGES
    )


def _stamp(meta: SiteMeta) -> str:
    simulated = '<span class="pill">Simulated data</span> ' if meta.is_simulated else ""
    checks = f' · <a href="quality.html">{esc(meta.checks)}</a>' if meta.checks_total else ""
    return f'<p class="stamp">{simulated}<strong>{esc(meta.data_to)}</strong>{checks}</p>'


def _footer(meta: SiteMeta) -> str:
    simulated = "Simulated demonstration data: no patient is behind these numbers. " if meta.is_simulated else ""
    return (
        f"<footer><p>{simulated}Groups of fewer than {meta.minimum_group} are not shown, so that no one can be "
        "recognised. This page sends nothing anywhere and needs no network connection.</p>"
        f"<p>Code {esc(clean(meta.code_version))} · contract {esc(clean(meta.contract_version))} · "
        f'plotly.js {get_plotlyjs_version()} · <a href="definitions.html">Definitions and methods</a></p></footer>'
    )
