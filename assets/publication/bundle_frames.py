"""The published frames that an audience may have, with the rows it may have."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import polars as pl

from assets.publication.audiences import Clinics
from dashboards.published import PEER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assets.publication.audiences import Audience

CLINIC, FUNNEL, DELIVERIES = "clinic_key", "clinic_funnel", "conservation"
LEVEL_OF_CLINIC = f"{CLINIC}="
"""How a clinic is named where it is a value among others of a column, as in the balance of covariates."""
SHOWN_OF_A_DELIVERY = ("delivery_id", "extract_stamp", "state")
"""What one clinic may know of the deliveries of all: that there were such, not how much was in them or from whom."""
SHOWN_OF_A_PEER = (
    *("condition_id", "outcome_id", CLINIC, "n", "value", "zone"),
    *("network_n", "network", "statistic_id", "suppressed"),
)
"""Columns of the funnel that are filled for a clinic without a name; the network's numbers are not its own."""
PEER_SIZE = 25
"""To the nearest multiple of this the number of patients of a clinic without a name is rounded, and never to 0."""


def frames_for(
    audience: Audience, frames: Mapping[str, pl.DataFrame], clinic: str | None, release: str
) -> dict[str, pl.DataFrame]:
    """Return the frames of a bundle.

    Args:
        audience: Whose bundle it is.
        frames: Published frames by name.
        clinic: Key of the clinic where the audience is one clinic.
        release: Its id draws the order of the clinics without names, so that two builds of it are equal.

    """
    given = {name: frame for name, frame in frames.items() if name in audience.tables}
    if audience.clinics is not Clinics.OWN:
        return given
    own = {name: _own_rows(frame, clinic) for name, frame in given.items()}
    if FUNNEL in own:
        own[FUNNEL] = pl.concat([own[FUNNEL], _peers(given[FUNNEL], clinic, release)])
    if DELIVERIES in own:
        own[DELIVERIES] = own[DELIVERIES].with_columns(
            pl.lit(None, dtype).alias(name)
            for name, dtype in own[DELIVERIES].schema.items()
            if name not in SHOWN_OF_A_DELIVERY
        )
    return own


def _own_rows(frame: pl.DataFrame, clinic: str | None) -> pl.DataFrame:
    """Rows of the clinic and of the network."""
    if CLINIC in frame.columns:
        frame = frame.filter(pl.col(CLINIC).is_null() | (pl.col(CLINIC) == clinic))
    for name in (name for name, dtype in frame.schema.items() if dtype == pl.String):
        is_level = pl.col(name).str.starts_with(LEVEL_OF_CLINIC).fill_null(value=False)
        frame = frame.filter(~is_level | (pl.col(name) == f"{LEVEL_OF_CLINIC}{clinic}"))
    return frame


def _peers(funnel: pl.DataFrame, clinic: str | None, release: str) -> pl.DataFrame:
    """The other clinics of each funnel that are compared, without names, in an order that tells nothing."""
    place = ["condition_id", "outcome_id"]
    drawn = pl.struct(*place, CLINIC).map_elements(
        lambda row: hashlib.sha256(repr((release, sorted(row.items()))).encode()).hexdigest(), return_dtype=pl.String
    )
    nearest = ((pl.col("n") + PEER_SIZE // 2) // PEER_SIZE * PEER_SIZE).clip(lower_bound=PEER_SIZE)
    compared = funnel.filter((pl.col(CLINIC) != clinic) & pl.col("zone").is_not_null() & ~pl.col("suppressed"))
    shuffled = compared.with_columns(drawn=drawn).sort(*place, "drawn", nulls_last=False)
    named = shuffled.with_columns(pl.int_range(1, pl.len() + 1).over(place).alias("number"), n=nearest)
    return named.with_columns(pl.concat_str(pl.lit(f"{PEER} "), pl.col("number").cast(pl.String)).alias(CLINIC)).select(
        (pl.col(name) if name in SHOWN_OF_A_PEER else pl.lit(None, dtype)).alias(name)
        for name, dtype in funnel.schema.items()
    )
