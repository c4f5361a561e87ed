"""Views that are too fine for the network: where most groups are too small, none of them is shown.

A view is the rows of a table that name the same of condition, clinic, care and period. Where fewer than half of its
groups could be shown, the few that could would rest on luck, and every one of them would cost others to protect. So the
view is hidden as a whole; the coarser views, and those of a larger network, are not.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import polars as pl

from assets.privacy.disclosure.layout import ALL_VALUES
from assets.privacy.disclosure.profiles import MINIMUM_GROUP

if TYPE_CHECKING:
    from assets.privacy.disclosure.layout import Disclosable

SMALLEST_SHARE = 0.5
"""Of the groups of a view that must be large enough to be shown, for any of them to be."""
CROSSED = 2
"""A view that names fewer of condition, clinic, care and period than this is never hidden as a whole."""


def too_fine(frame: pl.DataFrame, layout: Disclosable) -> pl.Series:
    """Rows of an exact table whose view is hidden as a whole."""
    enough = pl.all_horizontal((pl.col(group) >= MINIMUM_GROUP) | (pl.col(group) == 0) for group in layout.groups)
    return _of_views(frame, layout, enough, SMALLEST_SHARE)


def was_too_fine(frame: pl.DataFrame, layout: Disclosable) -> pl.Series:
    """Rows of a published table whose view is hidden as a whole."""
    return _of_views(frame, layout, ~pl.col("suppressed"), sys.float_info.min)


def _of_views(frame: pl.DataFrame, layout: Disclosable, is_shown: pl.Expr, least: float) -> pl.Series:
    """Rows of views that cross enough, and of which less than this share is shown."""
    named = {key: _is_named(key) for key in layout.keys if key in ALL_VALUES}
    if len(named) < CROSSED or frame.is_empty():
        return pl.repeat(value=False, n=frame.height, dtype=pl.Boolean, eager=True)
    crossed = pl.sum_horizontal(pl.col(key).cast(pl.Int8) for key in named)
    marked = frame.select(is_shown=is_shown, **named)
    return marked.select((crossed >= CROSSED) & (pl.col("is_shown").mean().over(list(named)) < least)).to_series()


def _is_named(key: str) -> pl.Expr:
    everything = ALL_VALUES[key]
    return pl.col(key).is_not_null() if everything is None else pl.col(key) != everything
