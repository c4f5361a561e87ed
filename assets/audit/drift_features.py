"""From counts by night to the features that are judged: one line of numbers for each feature of each clinic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy import special

from assets.audit.drift_statistics import Measure, Nights
from assets.contract.drift import FEWEST_NIGHTS, HISTORY_NIGHTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SERIES = ["clinic_key", "profile"]
NIGHT = [*SERIES, "sent_on"]
FEATURE = [*SERIES, "check_id", "feature", "item"]
WIDTH = HISTORY_NIGHTS + 1
WEEKS = 3
"""Weekdays differ as far as so many nights of each are known."""
FEWEST_SCORES, FEWEST_EARLIER_SCORES = 5, 50
"""The mean of fewer normal scores is not normal enough for the tail that is asked for."""
ROUND_TO = 10


@dataclass(frozen=True, slots=True)
class Family:
    """Features judged together: their names (columns of ``FEATURE``) and their numbers, line by line."""

    name: str
    measure: Measure
    features: pl.DataFrame
    nights: Nights


def window_of(sent: pl.DataFrame) -> pl.DataFrame:
    """The nights that are judged and compared: of each clinic and source the latest and those before it.

    A night is all deliveries of one day; the last of them gives it its name. The first day of a source holds its past
    and is no night. ``place`` is the column of the night, the latest last; ``nights`` how many there are.
    """
    nights = sent.sort("extract_stamp", "delivery_id").group_by(
        *SERIES, pl.col("extract_stamp").str.slice(0, 10).alias("sent_on"), maintain_order=True
    )
    last = nights.agg(pl.col("delivery_id", "file_count").last()).sort(NIGHT)
    return (
        last.with_columns(
            recency=pl.col("sent_on").rank("ordinal", descending=True).over(SERIES) - 1,
            is_first=pl.col("sent_on") == pl.col("sent_on").first().over(SERIES),
        )
        .filter(~pl.col("is_first"), pl.col("recency") < WIDTH)
        .with_columns(
            place=(HISTORY_NIGHTS - pl.col("recency")).cast(pl.Int64), nights=pl.len().over(SERIES).cast(pl.Int64)
        )
        .drop("recency", "is_first")
        .filter(pl.col("nights") > FEWEST_NIGHTS)
    )


def families(window: pl.DataFrame, profile: pl.DataFrame) -> Iterator[Family]:
    """Everything that is judged, in families that share the rate of false alarms equally."""
    lines = profile.join(window.select(*NIGHT, "place"), on=NIGHT)
    volume = _volume(window, lines)
    yield volume
    levels = lines.filter(pl.col("feature") == "level")
    yield _shares("empty", lines.filter(pl.col("feature") == "empty"))
    yield _shares(
        "codes",
        pl.concat([_codes(lines), _others(lines), _set_aside(lines), _round(levels)], how="vertical"),
    )
    scores = [levels, _spread(levels), lines.filter(pl.col("feature").is_in(["step", "gap"]))]
    yield _means("scores", pl.concat(scores))


def _volume(window: pl.DataFrame, lines: pl.DataFrame) -> Family:
    volume = lines.filter(pl.col("feature") == "volume")
    features = volume.select(FEATURE).unique().sort(FEATURE)
    total = _matrix(features, volume, "rows")
    exposure, support = _exposure(window, features, total)
    return Family("volume", Measure.COUNT, features, Nights(exposure, total, np.zeros_like(total), support))


def _exposure(window: pl.DataFrame, features: pl.DataFrame, total: Floats) -> tuple[Floats, Floats]:
    """1 on each night that was sent, or the factor of its weekday, from the rows of all tables of the clinic."""
    exposure, support = np.zeros_like(total), np.zeros(len(total))
    for (clinic, profile), nights in window.group_by(SERIES):
        place = nights["place"].to_numpy()
        own = ((features["clinic_key"] == clinic) & (features["profile"] == profile)).to_numpy()
        weekday = nights["sent_on"].str.to_date("%Y-%m-%d").dt.weekday().to_numpy()
        factors, known = _weekday_factors(place, weekday, total[own].sum(axis=0))
        exposure[np.ix_(own, place)] = factors
        support[own] = known
    return exposure, support


def _weekday_factors(place: NDArray[np.int64], weekday: NDArray[np.int8], total: Floats) -> tuple[Floats, int]:
    """Factor of each night, and how many earlier nights stand behind that of the latest."""
    past = place < HISTORY_NIGHTS
    counts = {day: int((past & (weekday == day)).sum()) for day in set(weekday.tolist())}
    middle = float(np.median(total[place[past]]))
    if min(counts.values()) < WEEKS or middle == 0:
        return np.ones(len(place)), int(past.sum())
    medians = {day: float(np.median(total[place[past & (weekday == day)]])) / middle for day in counts}
    return np.array([medians[day] for day in weekday.tolist()]), counts[int(weekday[place == HISTORY_NIGHTS][0])]


def _codes(lines: pl.DataFrame) -> pl.DataFrame:
    """Each code of each column on every night on which the table had rows, also where the code did not occur."""
    units = lines.filter(pl.col("feature") == "unit").select(*NIGHT, "place", "check_id", "n")
    codes = lines.filter(pl.col("feature") == "code")
    every = codes.select(FEATURE).unique().join(units, on=[*SERIES, "check_id"])
    return _filled(every, codes)


def _set_aside(lines: pl.DataFrame) -> pl.DataFrame:
    rows = lines.filter(pl.col("feature") == "volume").select(*NIGHT, "place", "check_id", "n")
    found = lines.filter(pl.col("feature") == "set_aside")
    every = _filled(found.select(FEATURE).unique().join(rows, on=[*SERIES, "check_id"]), found)
    return every.with_columns(n=pl.col("n") + pl.col("rows"))


def _filled(every: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    known = found.select(*FEATURE, "place", "rows")
    return every.join(known, on=[*FEATURE, "place"], how="left").select(
        *FEATURE, "place", "n", pl.col("rows").fill_null(0)
    )


def _others(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.filter(pl.col("feature").is_in(["changed", "first_day"])).select(*FEATURE, "place", "n", "rows")


def _round(levels: pl.DataFrame) -> pl.DataFrame:
    """How many scores are multiples of ten: who reads a motion to tens adds an error nobody sees in the mean."""
    scores = levels.filter(pl.col("check_id").str.starts_with("measurement.value."))
    is_round = pl.col("value") % ROUND_TO == 0
    return (
        scores.with_columns(feature=pl.lit("round"))
        .group_by(*FEATURE, "place")
        .agg(n=pl.col("rows").sum(), rows=pl.col("rows").filter(is_round).sum())
    )


def _spread(levels: pl.DataFrame) -> pl.DataFrame:
    """Distances from the middle of all nights."""
    middle = (
        levels.sort("value")
        .group_by(FEATURE, maintain_order=True)
        .agg(middle=pl.col("value").filter(pl.col("rows").cum_sum() * 2 >= pl.col("rows").sum()).first())
    )
    return (
        levels.join(middle, on=FEATURE)
        .select(
            pl.exclude("middle", "value", "feature"),
            feature=pl.lit("spread"),
            value=(pl.col("value") - pl.col("middle")).abs().round(6),
        )
        .select(levels.columns)
    )


def _shares(name: str, lines: pl.DataFrame) -> Family:
    features = lines.select(FEATURE).unique().sort(FEATURE)
    n, total = (_matrix(features, lines, column) for column in ("n", "rows"))
    return Family(name, Measure.SHARE, features, Nights(n, total, np.zeros_like(n), (n > 0).sum(axis=1) - 1.0))


def _means(name: str, lines: pl.DataFrame) -> Family:
    """Values become normal scores of their rank among all nights together: no scale, no skew, no outlier."""
    ranked = (
        lines.group_by(*FEATURE, "value")
        .agg(pl.col("rows").sum())
        .sort(*FEATURE, "value")
        .with_columns(
            below=pl.col("rows").cum_sum().over(FEATURE) - pl.col("rows"), all=pl.col("rows").sum().over(FEATURE)
        )
    )
    middle = ((ranked["below"] + ranked["rows"] / 2) / ranked["all"]).to_numpy()
    scored = lines.join(
        ranked.select(*FEATURE, "value", pl.Series("score", special.ndtri(middle))), on=[*FEATURE, "value"]
    )
    nights = (
        scored.sort(*FEATURE, "place", "value")
        .group_by(*FEATURE, "place", maintain_order=True)
        .agg(
            n=pl.col("rows").sum(),
            total=(pl.col("rows") * pl.col("score")).sum(),
            squares=(pl.col("rows") * pl.col("score") ** 2).sum(),
        )
    )
    features = lines.select(FEATURE).unique().sort(FEATURE)
    n, total, squares = (_matrix(features, nights, column) for column in ("n", "total", "squares"))
    enough = (n[:, -1] >= FEWEST_SCORES) & (n[:, :-1].sum(axis=1) >= FEWEST_EARLIER_SCORES)
    n[~enough, -1] = 0
    return Family(name, Measure.MEAN, features, Nights(n, total, squares, (n > 0).sum(axis=1) - 1.0))


def _matrix(features: pl.DataFrame, lines: pl.DataFrame, column: str) -> Floats:
    placed = lines.join(features.with_row_index("line"), on=FEATURE)
    matrix = np.zeros((features.height, WIDTH))
    matrix[placed["line"].to_numpy(), placed["place"].to_numpy()] = placed[column].to_numpy()
    return matrix
