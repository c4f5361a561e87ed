"""How much of what should be known is known, as one of three words; thresholds are the contract's."""

from __future__ import annotations

import polars as pl

from assets.contract.definitions import COMPARISON_FLOOR_PERCENT, COMPLETENESS_TARGET_PERCENT

ON_TARGET, BELOW_TARGET, BELOW_FLOOR = "on_target", "below_target", "below_floor"


def completeness_word(known: str, eligible: str) -> pl.Expr:
    """The word for two count columns, compared in whole numbers; null where nobody is eligible."""
    percent, of = pl.col(known) * 100, pl.col(eligible)
    return pl.when(of > 0).then(
        pl.when(percent >= of * COMPLETENESS_TARGET_PERCENT)
        .then(pl.lit(ON_TARGET))
        .when(percent >= of * COMPARISON_FLOOR_PERCENT)
        .then(pl.lit(BELOW_TARGET))
        .otherwise(pl.lit(BELOW_FLOOR))
    )
