"""A simulated feed with dates: the same people, visit by visit, and dates that agree with days and years."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tests.simulation.feeds import write

if TYPE_CHECKING:
    from pathlib import Path

    from assets.simulation.folders import FileFormat

LAST_DAY = date(2026, 7, 1)


def frames(out: Path, file_format: FileFormat, **how: Any) -> dict[str, pl.DataFrame]:
    """All rows by delivery and table, as text."""
    written = write(out, 150, file_format=file_format, **how)
    read = pl.read_parquet if file_format == "parquet" else lambda path: pl.read_csv(path, infer_schema=False)
    return {
        f"{delivery.name}/{path.stem}": read(path)
        for delivery in written.summary.deliveries
        for path in delivery.glob(f"*.{file_format}")
    }


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_dates_are_one_more_column_and_nothing_else(tmp_path: Path, file_format: FileFormat) -> None:
    plain = frames(tmp_path / "plain", file_format, clean=True)
    dated = frames(tmp_path / "dated", file_format, clean=True, dated=True)
    assert plain.keys() == dated.keys()
    for name, frame in dated.items():
        more = ["calendar_day"] if name.endswith("/visit") else []
        assert frame.columns == [*plain[name].columns, *more]
        assert frame.drop(more).equals(plain[name])


def test_dates_agree_with_days_and_years(tmp_path: Path) -> None:
    found = frames(tmp_path / "dated", "csv", clean=True, dated=True)
    visits = pl.concat(frame for name, frame in found.items() if name.endswith("/visit"))
    episodes = pl.concat(frame for name, frame in found.items() if name.endswith("/episode"))
    days = visits.select(
        "episode_key",
        seen=pl.col("calendar_day").str.to_date("%Y-%m-%d"),
        first=pl.col("calendar_day").str.to_date("%Y-%m-%d") - pl.duration(days=pl.col("day_offset").cast(pl.Int64)),
    )
    assert days["seen"].null_count() == 0
    assert date(2024, 1, 1) <= days["seen"].min() <= days["seen"].max() <= LAST_DAY  # type: ignore[operator]
    starts = days.group_by("episode_key").agg(pl.col("first").unique())
    assert starts["first"].list.len().unique().to_list() == [1]
    years = starts.explode("first").join(episodes, on="episode_key")
    assert (years["first"].dt.year() == years["start_year"].cast(pl.Int32)).all()


def test_the_truth_is_the_same(tmp_path: Path) -> None:
    truths = [write(tmp_path / name, 150, dated=dated).truth for name, dated in (("plain", False), ("dated", True))]
    assert truths[1].pop("dated")
    assert not truths[0].pop("dated")
    assert truths[0] == truths[1]
