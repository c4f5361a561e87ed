"""Frames as they are printed: after disclosure control for a clinic's own staff."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.outcomes.published import LAYOUTS
from assets.privacy.disclosure.profiles import INTERNAL
from assets.privacy.disclosure.protect import protect

if TYPE_CHECKING:
    import polars as pl


def printed(name: str, exact: pl.DataFrame) -> pl.DataFrame:
    """One table as it is printed if it is the only one."""
    return protect({name: exact}, {name: LAYOUTS[name]}, INTERNAL, None).frames[name]
