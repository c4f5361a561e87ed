"""Frames about the data: worst status, sums over deliveries, titles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.outcomes.tables.quality import (
    check_by_delivery,
    check_summary,
    conservation,
    delivery_volume,
    quarantine_by_reason,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def test_worst_status_and_sums_over_deliveries(audit: Mapping[str, pl.DataFrame]) -> None:
    frame = check_summary(audit["audit.check_result"], audit["audit.check_catalogue"])
    row = frame.filter(pl.col("check_id") == "measurement.value.readable").row(0, named=True)
    assert (row["status"], row["evaluated"], row["violated"], row["deliveries"]) == ("pass_with_violations", 300, 5, 3)
    assert row["title"] == "Measurement: value can be read as a number"
    assert (row["kind"], row["stage"], row["severity"], row["tolerance"]) == ("readable", "delivery", "critical", 0.5)
    assert (row["dimension"], row["owner"], row["blocks"]) == ("value conformance", "data quality", False)
    release = frame.filter(pl.col("check_id") == "visit.key.unique").row(0, named=True)
    assert (release["status"], release["deliveries"]) == ("warn", 0)


def test_every_check_of_the_catalogue_is_listed_once(audit: Mapping[str, pl.DataFrame]) -> None:
    frame = check_summary(audit["audit.check_result"], audit["audit.check_catalogue"])
    assert audit["audit.check_catalogue"]["check_id"].sort().to_list() == frame["check_id"].to_list()
    silent = frame.filter(pl.col("deliveries") == 0, pl.col("evaluated") == 0)
    assert set(silent["status"]) == {"not_applicable"}


@pytest.mark.parametrize(("column", "value"), [("check_id", "visit.nonsense"), ("status", "fine"), ("status", None)])
def test_strange_results_are_refused(audit: Mapping[str, pl.DataFrame], column: str, value: str | None) -> None:
    results = audit["audit.check_result"].with_columns(pl.lit(value, pl.String).alias(column))
    with pytest.raises(ValueError, match="check"):
        check_summary(results, audit["audit.check_catalogue"])


def test_quarantine_has_titles(audit: Mapping[str, pl.DataFrame]) -> None:
    frame = quarantine_by_reason(audit["audit.quarantine"], CONTRACT)
    assert frame.rows() == [
        (
            "measurement",
            "measurement.value.readable",
            "Measurement: value can be read as a number",
            "NOT_NUMERIC",
            5,
            3,
        ),
        ("visit", "reading.columns", "reading.columns", "COLUMN_COUNT", 1, 0),
        ("visit", "visit.key.unique", "One row for each visit", "DUPLICATE_KEY", 2, 2),
    ]


def test_conservation_is_in_order_of_deliveries(audit: Mapping[str, pl.DataFrame]) -> None:
    frame = conservation(audit["audit.conservation"])
    assert frame["delivery_id"].to_list() == ["d1", "d2"]
    with pytest.raises(ValueError, match="no column superseded"):
        conservation(audit["audit.conservation"].drop("superseded"))


def test_each_check_on_each_delivery(audit: Mapping[str, pl.DataFrame]) -> None:
    frame = check_by_delivery(audit["audit.check_result"])
    assert frame.columns == ["check_id", "delivery_id", "status"]
    assert frame.rows() == [
        ("measurement.value.readable", "d1", "pass"),
        ("measurement.value.readable", "d2", "pass_with_violations"),
        ("measurement.value.readable", "d3", "not_applicable"),
        ("visit.key.unique", None, "warn"),
    ]
    results = audit["audit.check_result"]
    with pytest.raises(ValueError, match="two rows with the same check_id, delivery_id"):
        check_by_delivery(pl.concat([results, results]))


def test_volume_as_a_multiple_of_what_is_usual(audit: Mapping[str, pl.DataFrame]) -> None:
    assert delivery_volume(audit["audit.delivery_volume"]).rows() == [("d1", 4.0, True), ("d2", None, True)]
