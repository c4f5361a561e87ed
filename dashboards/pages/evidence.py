"""Evidence pack ``evidence.html``: what an auditor can recompute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.pages.frame import Page, empty

if TYPE_CHECKING:
    from dashboards.pages.frame import SiteMeta
    from dashboards.published import Published

NAME, HEADING = "evidence", "Evidence pack"


def build(published: Published, meta: SiteMeta) -> Page:  # noqa: ARG001
    """Return the page."""
    return Page(NAME, HEADING, empty())
