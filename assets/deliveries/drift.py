"""Has a source changed its scale? The scores of a new delivery beside what the same source has sent so far.

A pain scale sent in centimetres instead of millimetres, a disability index in points instead of percent, a lunge in
inches: every score may still be possible, and every average is wrong. A change of unit multiplies location and spread
by the same factor; another mix of patients moves the location and hardly the spread. So a measure has drifted when its
mean *and* its standard deviation are both those of the history times one of the factors by which units differ.

Mean and deviation are used rather than median and quartiles: possible bounds have removed what would spoil them, they
need no more than counts by value, and on integer scales they vary half as much, so that fewer changes are missed.

The verdict depends on what had arrived before: a delivery is compared with the accepted ones that are there when it is
read, and the ledger keeps which (``Comparison.compared_with``). The first delivery of a source is compared with none.
Two deliveries in different units are found in whichever order they come, but it is the second that is held. A source
that turns its scale (10 for no pain) is not looked for: a mean of 5 looks the same either way.

How often this is wrong was simulated by resampling whole episodes of the simulated network, 41 measures, deliveries of
30 to 500 scores against histories of 100 to 5,000: no false alarm in 18,300 comparisons of deliveries of the same mix,
of first visits only, or shifted by up to one standard deviation; 31 in 6,150 (0.5%, none from 200 scores on) for
deliveries of last visits only, compared with a history of all visits. Found are 97% of changes by a factor of 10 or
more, and of changes by 2 about 46% at 30 scores, 66% at 100 and 88% at 500.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from assets.deliveries.ledger import State
from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from assets.deliveries.ledger import Delivery, Ledger
    from assets.deliveries.profile import Profile

SUMMARY = "scale.parquet"
"""Beside the rows of a delivery: how often each value of each measure was accepted, so that rows are read once."""
SUMMARY_SCHEMA = pl.Schema({"measure_id": pl.String(), "value": pl.Float64(), "rows": pl.Int64()})
SIGNIFICANT_DIGITS = 3
"""Values are counted to three digits: far finer than any factor, and at most 900 lines per power of ten."""

HISTORY_DELIVERIES = 20
"""The latest ones: enough for any mix of patients, and a change that was accepted long ago is history."""
FEWEST_ROWS, FEWEST_HISTORY_ROWS = 30, 100
"""Below them a standard deviation is known to no better than 13 and 7%."""

FACTORS = (0.01, 0.1, 1 / 2.54, 0.5, 2.0, 2.54, 10.0, 100.0)
"""Millimetres, centimetres, metres; inches; an index of 50 points and its percentage."""
TOLERANCE = math.log(1.15)
"""A ratio within 15% of a factor is that factor: twice the standard error at 50 scores."""
WIDE_TOLERANCE = math.log(2)
"""For tenfold changes and more, which no mix of patients resembles."""
WIDE_FROM = 10.0
LEAST_LOCATION = 0.5
"""Of a measure that lies around zero, nearer than half a standard deviation, only the spread would tell."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One measure whose scores look multiplied by ``factor``, with the scores counted on both sides."""

    measure_id: str
    factor: float
    rows: int
    history_rows: int

    @property
    def sentence(self) -> str:
        """What was found, without a value."""
        times = f"{self.factor:g} times" if self.factor >= 1 else f"1/{1 / self.factor:g} of"
        return (
            f"{self.measure_id}: {self.rows:,} scores are about {times} what this source sent before "
            f"({self.history_rows:,} scores)"
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """A delivery beside the history of its source. ``compared_with`` are the deliveries the history is made of."""

    compared_with: tuple[str, ...]
    found: tuple[Drift, ...]

    def problem(self, label: str) -> InputProblem | None:
        """Return why the delivery is held, or None."""
        if not self.found:
            return None
        return InputProblem(
            "SCALE_DRIFT",
            label,
            "; ".join(drift.sentence for drift in self.found),
            "Declare the unit of the source in the profile, or list the measure under accept_drift with the reason",
        )


def compare_scale(delivery: Delivery, ledger: Ledger, profile: Profile) -> Comparison:
    """Compare a typed delivery with its source's history, and keep its summary for those to come."""
    summary = summarise((ledger.folder(delivery.delivery_id) / "rows").glob("measurement.*.parquet"))
    _save(summary, ledger.folder(delivery.delivery_id) / SUMMARY)
    others = source_history(delivery, ledger)
    history = pooled(_summary(other, ledger) for other in others)
    found = scale_drift(summary, history, [accepted.measure for accepted in profile.accept_drift])
    return Comparison(tuple(other.delivery_id for other in others), tuple(found))


def source_history(delivery: Delivery, ledger: Ledger) -> tuple[Delivery, ...]:
    """Other accepted deliveries of the same profile, the latest extracts only."""
    others = [
        other
        for other in ledger.all()
        if other.state is State.ACCEPTED
        and other.profile == delivery.profile
        and other.delivery_id != delivery.delivery_id
    ]
    return tuple(others[-HISTORY_DELIVERIES:])


def summarise(paths: Iterable[Path]) -> pl.DataFrame:
    """Count the accepted scores of a delivery by measure and value."""
    files = sorted(paths)
    if not files:
        return pl.DataFrame(schema=SUMMARY_SCHEMA)
    counted = (
        pl.scan_parquet(files)
        .filter("accepted")
        .group_by("measure_id", "value")
        .agg(pl.len().cast(pl.Int64).alias("rows"))
        .collect(engine="streaming")
    )
    return pooled([counted.with_columns(pl.col("value").cast(pl.Float64).round_sig_figs(SIGNIFICANT_DIGITS))])


def pooled(summaries: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Add summaries up; the order of the lines does not depend on the order of the deliveries."""
    together = pl.concat([pl.DataFrame(schema=SUMMARY_SCHEMA), *summaries])
    return together.group_by("measure_id", "value").agg(pl.col("rows").sum()).sort("measure_id", "value")


def scale_drift(summary: pl.DataFrame, history: pl.DataFrame, accepted: Sequence[str]) -> list[Drift]:
    """Return the measures of ``summary`` whose scale differs from that of ``history``, sorted by name.

    Both are frames of ``SUMMARY_SCHEMA``; measures in ``accepted`` are exempt.
    """
    new, old = _moments(summary), _moments(history)
    return [
        Drift(measure_id, factor, new[measure_id].rows, old[measure_id].rows)
        for measure_id in sorted(new.keys() & old.keys() - set(accepted))
        if (factor := _factor(new[measure_id], old[measure_id])) is not None
    ]


@dataclass(frozen=True, slots=True)
class _Moments:
    rows: int
    mean: float
    deviation: float

    @property
    def has_location(self) -> bool:
        """Whether the mean can tell a factor."""
        return self.deviation > 0 and abs(self.mean) >= LEAST_LOCATION * self.deviation


def _moments(summary: pl.DataFrame) -> dict[str, _Moments]:
    found = {}
    for (measure_id,), lines in summary.sort("measure_id", "value").group_by("measure_id", maintain_order=True):
        rows, values = lines["rows"].to_list(), lines["value"].to_list()
        total = sum(rows)
        mean = math.fsum(count * value for count, value in zip(rows, values, strict=True)) / total
        squares = math.fsum(count * (value - mean) ** 2 for count, value in zip(rows, values, strict=True))
        found[str(measure_id)] = _Moments(total, mean, math.sqrt(squares / total))
    return found


def _factor(new: _Moments, old: _Moments) -> float | None:
    """The factor between two scales, or None if they look like one scale."""
    if new.rows < FEWEST_ROWS or old.rows < FEWEST_HISTORY_ROWS:
        return None
    if not (new.deviation > 0 and old.has_location and new.mean * old.mean > 0):
        return None
    location, spread = math.log(new.mean / old.mean), math.log(new.deviation / old.deviation)

    def off(factor: float) -> float:
        return max(abs(location - math.log(factor)), abs(spread - math.log(factor)))

    factor = min(FACTORS, key=off)
    wide = max(factor, 1 / factor) >= WIDE_FROM
    return factor if off(factor) <= (WIDE_TOLERANCE if wide else TOLERANCE) else None


def _summary(delivery: Delivery, ledger: Ledger) -> pl.DataFrame:
    """The kept summary of a delivery; made again for one that was accepted before summaries were kept."""
    folder = ledger.folder(delivery.delivery_id)
    if not (folder / SUMMARY).exists():
        _save(summarise((folder / "rows").glob("measurement.*.parquet")), folder / SUMMARY)
    return pl.read_parquet(folder / SUMMARY)


def _save(summary: pl.DataFrame, path: Path) -> None:
    temporary = path.with_suffix(".tmp")
    summary.write_parquet(temporary)
    temporary.replace(path)
