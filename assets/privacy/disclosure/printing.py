"""A table as it is published: hidden numbers null, counts rounded, the others to their printed precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.privacy.disclosure.cells import decimals
from assets.privacy.disclosure.knowledge import at_cells, rules
from assets.privacy.disclosure.profiles import ShareRule, approximate_share, rounded_count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from assets.privacy.disclosure.cells import Table
    from assets.privacy.disclosure.layout import Disclosable
    from assets.privacy.disclosure.profiles import Profile

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]


def printed(
    table: Table, hidden: Bools, veil: Mapping[str, Bools], truth: Ints, profile: Profile, unseen: pl.DataFrame
) -> pl.DataFrame:
    """Return the table as it may be published, with ``suppressed`` last.

    Args:
        table: Exact.
        hidden: Cells that are hidden.
        veil: By column, the rows in which its number must not be printed.
        truth: True size of each cell.
        profile: Adds ``approximate`` where parts are protected and the table has shares.
        unseen: Rows of the table whose views are hidden as a whole; they stand in no cell.

    """
    layout = table.layout
    values: dict[str, pl.Series] = {}
    for column, dtype in layout.numbers.items():
        shown = table.frame[column]
        if column in layout.counts:
            shown = _rounded(shown)
        elif dtype.is_float():
            shown = shown.round(decimals(layout, column)) + 0.0
        values[column] = shown
    approximate = np.zeros(len(table.frame), dtype=bool)
    for share in table.shares:
        about = (rules(share, truth, profile) == ShareRule.APPROXIMATE) & ~veil[share.column]
        if about.any():
            part, whole = at_cells(truth, share.part), at_cells(truth, share.whole)
            near = np.round(approximate_share(part, whole), decimals(layout, share.column))
            values[share.column] = pl.Series(np.where(about, near, values[share.column].to_numpy()), nan_to_null=True)
            approximate |= about
    suppressed = np.zeros(len(table.frame), dtype=bool)
    for group in layout.groups:
        suppressed |= at_cells(hidden, table.cells[group])
    out = table.frame.with_columns(
        pl.select(pl.when(~pl.Series(veil[column])).then(series)).to_series().alias(column)
        for column, series in values.items()
    )
    if profile.protects_parts and table.shares:
        out = out.with_columns(approximate=pl.Series(approximate))
    out = _with_rows(out.with_columns(suppressed=pl.Series(suppressed)), unseen, layout)
    if layout.finish is not None:
        out = layout.finish(out)
    return out.select(pl.exclude("suppressed"), "suppressed")


def _with_rows(out: pl.DataFrame, unseen: pl.DataFrame, layout: Disclosable) -> pl.DataFrame:
    """Add the rows of views that are hidden as a whole, in the order of the keys."""
    if unseen.is_empty():
        return out
    empty = unseen.with_columns(
        *(pl.lit(None, out.schema[column]).alias(column) for column in layout.numbers), suppressed=pl.lit(value=True)
    )
    return pl.concat([out, empty], how="diagonal").sort(list(layout.keys), nulls_last=False, maintain_order=True)


def _rounded(sizes: pl.Series) -> pl.Series:
    """Counts as printed; null where there is none, or one that is too small to print."""
    known = sizes.is_not_null()
    rounded = pl.Series(rounded_count(sizes.fill_null(0).to_numpy()))
    return pl.select(pl.when(known & (rounded >= 0)).then(rounded)).to_series()
