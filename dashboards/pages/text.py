"""Pages of text: sections with a list of contents, terms and tables, for what is the same for every selection."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dashboards.markup import clean, esc
from dashboards.pages.frame import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assets.contract.model import Contract


_TYPED = re.compile("`([^`]+)`")


def text_page(name: str, heading: str, sections: Sequence[tuple[str, str, str]]) -> Page:
    """Return a page of sections, each an anchor, a title and HTML."""
    contents = "".join(f'<li><a href="#{anchor}">{title}</a></li>' for anchor, title, _ in sections)
    body = sections_html(sections)
    return Page(name, heading, f'<nav class="contents" aria-label="On this page"><ul>{contents}</ul></nav>{body}')


def sections_html(sections: Sequence[tuple[str, str, str]]) -> str:
    """Return the sections, each an anchor, a title and HTML."""
    return "".join(
        f'<section class="text" id="{anchor}"><h2>{title}</h2>{html}</section>' for anchor, title, html in sections
    )


def terms(items: Iterable[tuple[str, str, str]]) -> str:
    """Terms with anchors and their meaning."""
    found = (f'<dt id="{esc(name)}">{esc(title)}</dt><dd>{esc(text)}</dd>' for name, title, text in items)
    return f"<dl>{''.join(found)}</dl>"


def table(caption: str, head: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Return a table; each row has an anchor, and its first cell is its heading."""
    columns = "".join(f'<th scope="col">{esc(name)}</th>' for name in head)
    lines = "".join(
        f'<tr id="{esc(key)}"><th scope="row">{esc(first)}</th>{"".join(f"<td>{esc(cell)}</td>" for cell in rest)}</tr>'
        for key, (first, *rest) in rows
    )
    return (
        f'<div class="scroll tall" role="region" tabindex="0" aria-label="{caption}">'
        f"<table><caption>{caption}</caption>"
        f"<thead><tr>{columns}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def paragraph(text: str) -> str:
    """One paragraph."""
    return f"<p>{esc(text)}</p>"


def prose(text: str) -> str:
    """Text as HTML; what stands between backquotes is typed as it is."""
    return _TYPED.sub(r"<code>\1</code>", esc(text))


def bullets(items: Iterable[str]) -> str:
    """A list of sentences, with what is typed marked."""
    return f"<ul>{''.join(f'<li>{prose(item)}</li>' for item in items)}</ul>"


def condition_label(contract: Contract, condition_id: str) -> str:
    """What a condition is called."""
    return next((clean(item.label) for item in contract.conditions if item.condition_id == condition_id), condition_id)
