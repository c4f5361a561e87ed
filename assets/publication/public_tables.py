"""The tables about patients that everybody may see: few, and under the disclosure profile ``public``.

They are made with the release, beside its published tables, because what was shown before decides what may be shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.contract import CONTRACT
from assets.outcomes.frames import ALL_PERIODS, ANY_CARE
from assets.outcomes.published import LAYOUTS
from assets.outcomes.universes import NESTED
from assets.privacy.disclosure.profiles import PUBLIC
from assets.privacy.disclosure.protect import protect
from assets.publication.withhold import WITHHELD, without_withheld

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assets.privacy.disclosure.protect import Protected

CLINIC, RECOVERY = "clinic", "recovery_by_condition"
PUBLIC_TABLES = "public"
"""Folder of a release with these tables."""


def public_tables(exact: Mapping[str, pl.DataFrame], previous: Mapping[str, pl.DataFrame] | None) -> Protected:
    """Return what everybody may see, by name, and what was hidden.

    Args:
        exact: The tables of the statistics, with nothing hidden.
        previous: What everybody could see before, if anything.

    """
    protected = protect(
        {RECOVERY: for_everybody(exact[RECOVERY])}, {RECOVERY: LAYOUTS[RECOVERY]}, PUBLIC, previous, NESTED
    )
    shown = without_withheld({**protected.frames, WITHHELD: exact[WITHHELD]}, LAYOUTS)
    return protected._replace(frames={CLINIC: exact[CLINIC], RECOVERY: shown[RECOVERY]})


def for_everybody(rates: pl.DataFrame) -> pl.DataFrame:
    """Return the groups that the public is told of: all years, any care, recovery by the definition in force."""
    whole = (pl.col("care") == ANY_CARE) & (pl.col("period") == ALL_PERIODS)
    return rates.filter(whole & (pl.col("definition_id") == CONTRACT.default_definition.definition_id))
