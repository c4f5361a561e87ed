"""Pipeline runs ``runs.html``: what came in, what became of it, when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.pages.frame import Page, empty

if TYPE_CHECKING:
    from dashboards.pages.frame import SiteMeta
    from dashboards.published import Published

NAME, HEADING = "runs", "Pipeline runs"


def build(published: Published, meta: SiteMeta) -> Page:  # noqa: ARG001
    """Return the page."""
    return Page(NAME, HEADING, empty())
