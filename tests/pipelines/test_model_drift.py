"""Case-mix models between releases: a first one, a later extract in which all fare better, and the same built again."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.publication.release import current_release
from assets.simulation.network import simulate_network
from pipelines.runner import _dagster, _execute

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EPISODES = 900
BETTER = 2
"""Points of pain that everybody has less at the end, in the second extract."""


def extracts(out: Path) -> tuple[Path, Path]:
    simulate_network(out / "made", patients=EPISODES, seed=7, contract=CONTRACT, clean=True, sources=1)
    (first,) = (path for path in (out / "made").iterdir() if path.is_dir())
    second = out / first.name.replace("20260701", "20260801")
    shutil.copytree(first, second)
    visits = pl.read_csv(first / "visit.csv", columns=["visit_key", "day_offset"])
    scores = pl.read_csv(first / "measurement.csv", infer_schema=False).join(visits, on="visit_key", how="left")
    is_late_pain = pl.col("measure_id").str.starts_with("nprs") & (pl.col("day_offset") > 7)
    less = (pl.col("value").cast(pl.Float64) - BETTER).clip(0).cast(pl.Int64).cast(pl.String)
    scores.with_columns(value=pl.when(is_late_pain).then(less).otherwise("value")).drop("day_offset").write_csv(
        second / "measurement.csv"
    )
    return first, second


def drift(installation: Any) -> pl.DataFrame:
    rows: pl.DataFrame = installation.query("select * from audit.model_drift order by condition_id, outcome_id")
    return rows


def published(installation: Any) -> dict[str, bytes]:
    tables = installation.home.current / "tables"
    return {path.name: path.read_bytes() for path in sorted(tables.glob("*.parquet"))}


@pytest.fixture(scope="module")
def home(make_installation: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    first, second = extracts(tmp_path_factory.mktemp("extracts"))
    one = make_installation([first])
    found = {"first": drift(one), "release": one.outcome.release}
    two = make_installation([first, second], home=one.home)
    found |= {"second": drift(two), "changed": two.outcome.release, "tables": published(two), "installation": two}
    # the same release once more, whole
    with _dagster(two.home) as instance:
        assert _execute("release", two.home, instance, None) == []
    found |= {"third": drift(two), "again": current_release(two.home), "tables_again": published(two)}
    return found


def test_a_first_release_has_nothing_to_be_compared_with(home: dict[str, Any]) -> None:
    assert home["first"].height > 0
    assert set(home["first"]["reason"]) == {"no_earlier_release"}


def test_a_planted_shift_is_found(home: dict[str, Any]) -> None:
    assert home["changed"] != home["release"]
    compared = home["second"].filter(pl.col("reason").is_null(), outcome_id="pain_change")
    assert compared.height > 0
    # some had less than two points left to lose
    assert compared["old_in_the_large"].is_between(0.8, BETTER).all()
    function = home["second"].filter(pl.col("reason").is_null(), outcome_id="function_change")
    assert function["old_in_the_large"].abs().max() < 0.5  # type: ignore[operator]


def test_the_same_release_again_keeps_what_was_recorded_and_publishes_the_same_bytes(home: dict[str, Any]) -> None:
    assert home["again"] == home["changed"]
    assert home["third"].equals(home["second"])
    assert home["tables_again"] == home["tables"]


def test_what_is_published_does_not_depend_on_what_was_released_before(
    home: dict[str, Any], make_installation: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    fresh = make_installation(list(extracts(tmp_path_factory.mktemp("fresh"))))
    assert set(drift(fresh)["reason"]) == {"no_earlier_release"}
    assert published(fresh) == home["tables"]
