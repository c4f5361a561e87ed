"""Numbers that an open critical check keeps back: they are taken out of the published frames, the reason stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assets.privacy.disclosure.layout import Disclosable

WITHHELD, SUPPRESSED = "withheld", "suppressed"
KEPT = ("statistic_id", "recovery_definition_id", SUPPRESSED)
"""What is said of a row beside its keys, whether or not its numbers are shown."""


def without_withheld(frames: Mapping[str, pl.DataFrame], layouts: Mapping[str, Disclosable]) -> dict[str, pl.DataFrame]:
    """Return the published frames with every number nulled that the frame ``withheld`` names.

    Args:
        frames: Protected frames by name; ``withheld`` has one line per table, check and measure (null: whole table).
        layouts: Layouts of the tables about patients.

    """
    found = dict(frames)
    concerned = frames[WITHHELD].filter(pl.col("table_name").is_in(list(frames)))
    for table, measure in concerned.select("table_name", "measure_id").unique(maintain_order=True).rows():
        is_kept = pl.lit(value=False) if measure is None else pl.col("measure_id") != measure
        found[table] = found[table].with_columns(
            *(
                pl.when(is_kept).then(pl.col(name)).alias(name)
                for name in found[table].columns
                if name not in (*layouts[table].keys, *KEPT)
            ),
            (pl.col(SUPPRESSED) | ~is_kept).alias(SUPPRESSED),
        )
    return found
