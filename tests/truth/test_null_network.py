"""Clinics and kinds of care that do not differ: nothing may be found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from tests.truth.networks import Judged, covered, judged, together, with_needling, without_clinic_differences

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.truth

DEFAULT = CONTRACT.default_definition.definition_id
OUTSIDE_95 = ("above", "below", "possibly_above", "possibly_below")
OUTSIDE_998 = ("above", "below")


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Judged]:
    tables = ("recovery_by_condition", "clinic_funnel", "clinic_adjusted", "care_comparison")
    return list(
        judged(
            tmp_path_factory.mktemp("null"),
            lambda network: with_needling(without_clinic_differences(network), 0.0),
            tables,
        )
    )


def test_rates_hold_what_was_planted(networks: Sequence[Judged]) -> None:
    rates = together(networks, "recovery_by_condition").filter(
        pl.col("care") == "any", pl.col("period") == "all", pl.col("definition_id") == DEFAULT
    )
    share, intervals = covered(rates, "rate_low", "rate_high")
    print(f"{share:.4f} of {intervals} intervals hold the planted rate")  # noqa: T201
    assert intervals > 2000
    assert 0.93 <= share <= 0.97


@pytest.mark.parametrize(
    ("table", "zone", "outcome"),
    [
        ("clinic_funnel", "chance_zone", DEFAULT),
        ("clinic_funnel", "zone", DEFAULT),
        ("clinic_funnel", "zone", "pain_change"),
        ("clinic_adjusted", "chance_zone", "recovered"),
        ("clinic_adjusted", "chance_zone", "pain_change"),
        ("clinic_adjusted", "zone", "recovered"),
        ("clinic_adjusted", "zone", "pain_change"),
    ],
)
def test_clinics_are_flagged_by_chance_only(networks: Sequence[Judged], table: str, zone: str, outcome: str) -> None:
    """Limits of counts are the attainable ones: never more false alarms than nominal, and not absurdly few."""
    clinics = together(networks, table).filter(
        pl.col("outcome_id") == outcome, pl.col("clinic_key").is_not_null(), pl.col(zone).is_not_null()
    )
    alert = float(clinics[zone].is_in(OUTSIDE_95).mean())
    alarm = float(clinics[zone].is_in(OUTSIDE_998).mean())
    print(f"{table}.{zone} {outcome}: {alert:.4f} outside 95%, {alarm:.4f} outside 99.8% of {clinics.height}")  # noqa: T201
    assert clinics.height > 1000
    assert 0.01 <= alert <= 0.065
    assert alarm <= 0.006


@pytest.mark.parametrize("outcome", ["recovered", "responder_mcid", "pain_change"])
def test_no_difference_of_care_is_invented(networks: Sequence[Judged], outcome: str) -> None:
    shown = together(networks, "care_comparison").filter(
        pl.col("outcome_id") == outcome,
        pl.col("contrast_id") == "with_or_without_needling",
        pl.col("condition_id").is_null(),
        pl.col("verdict") == "shown",
    )
    wrong = shown.filter(~pl.lit(0.0).is_between(pl.col("adjusted_low"), pl.col("adjusted_high"))).height
    print(f"{outcome}: {wrong} of {shown.height} adjusted intervals leave out 0")  # noqa: T201
    assert shown.height >= 15
    # of 20 networks 4 or more would be wrong in 1.6 of 100 series of 20
    assert wrong <= 3
