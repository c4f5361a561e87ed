"""Overview ``index.html``: a page that needs no JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.pages.frame import Page, empty

if TYPE_CHECKING:
    from dashboards.pages.frame import SiteMeta
    from dashboards.published import Published

NAME, HEADING = "index", "Outcomes at a glance"


def build(published: Published, meta: SiteMeta) -> Page:  # noqa: ARG001
    """Return the page."""
    return Page(NAME, HEADING, empty())
