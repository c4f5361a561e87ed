"""A large effect of needling: it must be seen after adjustment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from tests.truth.networks import judged, together, with_needling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.truth.networks import Judged

pytestmark = pytest.mark.truth

POINTS = -2.0
"""Planted: pain lower by two points, four times what trials find against active care."""


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Judged]:
    return list(
        judged(tmp_path_factory.mktemp("large"), lambda network: with_needling(network, POINTS), ("care_comparison",))
    )


@pytest.mark.parametrize("outcome", ["recovered", "pain_change"])
def test_the_difference_is_not_missed(networks: Sequence[Judged], outcome: str) -> None:
    rows = together(networks, "care_comparison").filter(
        pl.col("outcome_id") == outcome,
        pl.col("contrast_id") == "with_or_without_needling",
        pl.col("condition_id").is_null(),
    )
    shown = rows.filter(pl.col("verdict") == "shown")
    seen = shown.filter(pl.col("adjusted_low") > 0).height
    print(f"{outcome}: seen in {seen} of {shown.height} shown, of {rows.height} networks")  # noqa: T201
    assert rows.height == 20
    assert shown.height >= 15
    assert seen == shown.height
