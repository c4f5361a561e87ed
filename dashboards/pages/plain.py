"""A page of words and nothing else: the frame of the others without charts, filters or a script of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.markup import clean, esc
from dashboards.pages.frame import POLICY
from dashboards.status import status_tag

if TYPE_CHECKING:
    from dashboards.pages.frame import SiteMeta


def plain_document(heading: str, body: str, meta: SiteMeta, prefix: str) -> str:
    """Return the whole page. ``body`` is HTML; ``prefix`` leads from the page to the root of the site."""
    title = esc(clean(meta.title))
    release = f"Release {esc(clean(meta.release))} · " if meta.release else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{esc(POLICY)}">'
        '<meta name="referrer" content="no-referrer">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{esc(heading)} | {title}</title><link rel="icon" href="data:,">'
        f'<link rel="stylesheet" href="{prefix}assets/style.css">'
        f'<script src="{prefix}assets/theme.js"></script></head>\n'
        '<body data-ready="1"><a class="skip" href="#content">Skip to content</a>'
        f'<header><div class="bar"><p class="brand">{title}</p><nav aria-label="Pages">'
        f'<a href="{prefix}quality.html">Data quality</a><a href="{prefix}checks.html">Checks</a>'
        "</nav></div></header>\n"
        f'<main id="content" tabindex="-1"><h1>{esc(heading)}</h1>{status_tag(prefix)}\n{body}</main>\n'
        f"<footer><p>{release}Code {esc(clean(meta.code_version))} · contract {esc(clean(meta.contract_version))}</p>"
        "</footer></body></html>\n"
    )
