"""From counts by night to the features that are judged: one line of numbers for each feature of each clinic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy import special, stats

from assets.audit.drift_statistics import TINY, Measure, Nights
from assets.contract.drift import FEWEST_NIGHTS, HISTORY_NIGHTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SERIES = ["clinic_key", "profile"]
NIGHT = [*SERIES, "sent_on"]
FEATURE = [*SERIES, "check_id", "feature", "item"]
WIDTH = HISTORY_NIGHTS + 1
EMPTY_TABLES, ONE_CODE, PLAIN = 1 / 4, 1 / 8, 1 / 16
MOSTLY_ONE = 0.9
"""Of a column with such a share of one code, it is asked on its own whether all others are gone."""
WEEKS = 3
"""Weekdays differ as far as so many nights of each are known."""
CLEARLY = 0.001
EFFICIENCY_OF_MEDIAN = 2 / np.pi
FEWEST_SCORES, FEWEST_EARLIER_SCORES = 5, 50
"""The mean of fewer normal scores is not normal enough for the tail that is asked for."""
ROUND_TO = 10


@dataclass(frozen=True, slots=True)
class Family:
    """Features judged together: their names (columns of ``FEATURE``) and their numbers, line by line.

    ``weight`` is their share of the rate of false alarms.
    """

    name: str
    weight: float
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
    """Everything that is judged. Families share the rate of false alarms by their weight.

    Faults of codes are the hardest to see, so codes have three eighths of it, a quarter is for empty tables
    (``EMPTY_TABLES``), an eighth for columns that are left with one code (``ONE_CODE``) and one for rows of tables; a
    wrong scale or an empty column is plain (``PLAIN``).
    """
    lines = profile.join(window.select(*NIGHT, "place"), on=NIGHT)
    levels = lines.filter(pl.col("feature") == "level")
    yield _volume(window, lines)
    yield _shares("codes", 3 / 8, pl.concat([_codes(lines), _others(lines), _set_aside(lines)]), "table")
    empty = lines.filter(pl.col("feature") == "empty").select(*FEATURE, "place", "n", "rows")
    yield _shares("fields", PLAIN, pl.concat([empty, _round(levels), _unseen(levels)]), "table", "feature")
    steps = lines.filter(pl.col("feature").is_in(["step", "gap"]))
    yield _means("scores", PLAIN, pl.concat([levels, _spread(levels), steps]))


def _volume(window: pl.DataFrame, lines: pl.DataFrame) -> Family:
    volume = lines.filter(pl.col("feature") == "volume")
    features = volume.select(FEATURE).unique().sort(FEATURE)
    total = _matrix(features, volume, "rows")
    exposure, support, fitted = _exposure(window, features, total)
    return Family(
        "volume",
        1 / 8,
        Measure.COUNT,
        features,
        Nights(exposure, total, np.zeros_like(total), support, fitted, _group(features, "table")),
    )


def _exposure(window: pl.DataFrame, features: pl.DataFrame, total: Floats) -> tuple[Floats, Floats, Floats]:
    """1 on each night that was sent, or the factor of its weekday, from the rows of all tables of the clinic.

    Returns the exposure, and for each feature how many nights stand behind the latest and how many numbers were fitted.
    """
    exposure, support, fitted = np.zeros_like(total), np.zeros(len(total)), np.ones(len(total))
    for (clinic, profile), nights in window.group_by(SERIES):
        place = nights["place"].to_numpy()
        own = ((features["clinic_key"] == clinic) & (features["profile"] == profile)).to_numpy()
        weekday = nights["sent_on"].str.to_date("%Y-%m-%d").dt.weekday().to_numpy()
        factors, support[own], fitted[own] = _weekday_factors(place, weekday, total[own].sum(axis=0)[place])
        exposure[np.ix_(own, place)] = factors
    return exposure, support, fitted


def _weekday_factors(place: NDArray[np.int64], weekday: NDArray[np.int8], total: Floats) -> tuple[Floats, float, float]:
    """Factor of each night, how many earlier nights stand behind that of the latest, and how many factors there are.

    Weekdays have factors of their own where enough weeks are known and they clearly differ; else all factors are 1.
    """
    past = place < HISTORY_NIGHTS
    days, which = np.unique(weekday, return_inverse=True)
    members = [past & (which == number) for number in range(len(days))]
    known = [int(member.sum()) for member in members]
    if len(days) == 1 or min(known) < WEEKS or not _differ([np.sqrt(total[member]) for member in members]):
        return np.ones(len(place)), float(past.sum()), 1.0
    medians = np.array([np.median(total[member]) for member in members]) / max(float(np.median(total[past])), 1.0)
    latest = int(which[place == HISTORY_NIGHTS][0])
    return medians[which], known[latest] * EFFICIENCY_OF_MEDIAN, float(len(days))


def _differ(groups: list[Floats]) -> bool:
    """Analysis of variance; equal numbers on every night differ nowhere."""
    within = sum(float(((group - group.mean()) ** 2).sum()) for group in groups)
    everything = np.concatenate(groups)
    between = float(((everything - everything.mean()) ** 2).sum()) - within
    freedom = len(groups) - 1, len(everything) - len(groups)
    return between > 0 and stats.f.sf(between / freedom[0] / max(within / freedom[1], TINY), *freedom) < CLEARLY


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
    return lines.filter(pl.col("feature").is_in(["changed", "repeated", "first_day", "bare"])).select(
        *FEATURE, "place", "n", "rows"
    )


def _round(levels: pl.DataFrame) -> pl.DataFrame:
    """How many scores are multiples of ten: who reads a motion to tens adds an error nobody sees in the mean."""
    scores = levels.filter(pl.col("check_id").str.starts_with("measurement.value."))
    is_round = pl.col("value") % ROUND_TO == 0
    return (
        scores.with_columns(feature=pl.lit("round"))
        .group_by(*FEATURE, "place")
        .agg(n=pl.col("rows").sum(), rows=pl.col("rows").filter(is_round).sum())
    )


def _unseen(levels: pl.DataFrame) -> pl.DataFrame:
    """How many scores no other night has: an index in another unit has values between those it can have."""
    places = pl.col("place").n_unique().over(*FEATURE, "value")
    return (
        levels.filter(pl.col("check_id").str.starts_with("measurement.value."))
        .with_columns(alone=pl.when(places == 1).then("rows").otherwise(0), feature=pl.lit("unseen"))
        .group_by(*FEATURE, "place")
        .agg(n=pl.col("rows").sum(), rows=pl.col("alone").sum())
    )


def one_code(window: pl.DataFrame, profile: pl.DataFrame) -> tuple[pl.DataFrame, Nights]:
    """Of columns that hold mostly one code: rows with any other, out of all rows that have a code."""
    lines = profile.join(window.select(*NIGHT, "place"), on=NIGHT)
    column = [*SERIES, "check_id"]
    codes = _codes(lines).with_columns(n=pl.col("rows").sum().over(*column, "place"))
    past = pl.col("rows").filter(pl.col("place") < HISTORY_NIGHTS).sum().over(FEATURE)
    everything = pl.col("rows").filter(pl.col("place") < HISTORY_NIGHTS).sum().over(column)
    others = codes.filter(past >= MOSTLY_ONE * everything, everything > 0).with_columns(
        rows=pl.col("n") - pl.col("rows")
    )
    features = others.select(FEATURE).unique().sort(FEATURE)
    n, total = (_matrix(features, others, name) for name in ("n", "rows"))
    support = n[:, :-1].sum(axis=1) / np.maximum(n[:, -1], 1)
    return features, Nights(n, total, np.zeros_like(n), support, np.ones(len(n)), _group(features, "table"))


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


def _shares(name: str, weight: float, lines: pl.DataFrame, *groups: str) -> Family:
    features = lines.select(FEATURE).unique().sort(FEATURE)
    n, total = (_matrix(features, lines, column) for column in ("n", "rows"))
    return Family(
        name, weight, Measure.SHARE, features, Nights(n, total, np.zeros_like(n), *_plain(n), _group(features, *groups))
    )


def _means(name: str, weight: float, lines: pl.DataFrame) -> Family:
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
    return Family(
        name, weight, Measure.MEAN, features, Nights(n, total, squares, *_plain(n), _group(features, "feature"))
    )


def _plain(n: Floats) -> tuple[Floats, Floats]:
    """Support and number of fitted numbers of features that have one expectation."""
    return (n[:, :-1] > 0).sum(axis=1).astype(float), np.ones(len(n))


def _group(features: pl.DataFrame, *by: str) -> NDArray[np.int64]:
    """Number of the feature's kind or table, or of both."""
    named = features.with_columns(table=pl.col("check_id").str.split(".").list.first())
    return named.select(pl.concat_str(by).rank("dense").cast(pl.Int64)).to_series().to_numpy()


def _matrix(features: pl.DataFrame, lines: pl.DataFrame, column: str) -> Floats:
    placed = lines.join(features.with_row_index("line"), on=FEATURE)
    matrix = np.zeros((features.height, WIDTH))
    matrix[placed["line"].to_numpy(), placed["place"].to_numpy()] = placed[column].to_numpy()
    return matrix
