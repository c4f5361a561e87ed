"""Clinics that differ: do the published intervals hold the recovery rates that were planted?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from tests.truth.networks import Judged, covered, judged, together

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.truth

LOWEST, HIGHEST = 0.93, 0.97
"""What 95% intervals may cover. Of 1,000 intervals and more chance moves the share by 0.007, of 180 by 0.016."""

DEFAULT = CONTRACT.default_definition.definition_id


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Judged]:
    tables = ("recovery_by_condition", "completion_sensitivity")
    return list(judged(tmp_path_factory.mktemp("planted"), lambda network: network, tables))


def test_rates_of_clinics_by_condition(networks: Sequence[Judged]) -> None:
    rates = together(networks, "recovery_by_condition").filter(
        pl.col("clinic_key").is_not_null(),
        pl.col("condition_id").is_not_null(),
        pl.col("care") == "any",
        pl.col("period") == "all",
        pl.col("definition_id") == DEFAULT,
    )
    share, intervals = covered(rates, "rate_low", "rate_high")
    print(f"{share:.4f} of {intervals} intervals of clinics by condition hold the planted rate")  # noqa: T201
    assert intervals > 1000
    assert LOWEST <= share <= HIGHEST


def test_weighted_rates_of_conditions(networks: Sequence[Judged]) -> None:
    """Clinics that record less count for less among the known: weighting for completion has to make up for that."""
    weighted = together(networks, "completion_sensitivity").filter(
        pl.col("clinic_key").is_null(), pl.col("condition_id").is_not_null()
    )
    share, intervals = covered(weighted, "weighted_low", "weighted_high")
    print(f"{share:.4f} of {intervals} weighted intervals of conditions hold the planted rate")  # noqa: T201
    assert intervals > 150
    assert LOWEST <= share <= HIGHEST
