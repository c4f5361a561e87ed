"""What another threshold would have done, told from the history: no data are read and no check runs again.

A row of the history holds what a check counted, so its status under any threshold follows from it. Two things do not:
a rule sets the same rows aside whatever its threshold is, and of a delivery or release that would have passed one hold
nothing is known of the checks that would have come after.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.audit.history import tried_last
from assets.contract.checks import Kind
from assets.contract.model import Severity
from assets.deliveries.problems import InputProblem
from assets.quality.history import REFUSED
from assets.quality.results import Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

DAYS_A_MONTH = 365.25 / 12
ALARMS = (Status.WARN, Status.FAIL, Status.ERROR)
UNTOUCHED = (Status.ERROR, Status.NOT_APPLICABLE)
"""What no threshold changes."""
YES_OR_NO = (Kind.SCHEMA, Kind.TYPE)
"""Kinds that count columns: one is right or wrong, and no threshold changes that."""
UNIT = ("run_id", "delivery_id")
"""One thing that was judged: a delivery, or a release (without a delivery), by one run."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A delivery or release that would have been treated otherwise. ``checks`` hold it: now, or under the change."""

    at: str
    run_id: str
    delivery_id: str | None
    release: str | None
    checks: tuple[str, ...]

    @property
    def name(self) -> str:
        """What was judged, for people."""
        if self.delivery_id is not None:
            return f"delivery {self.delivery_id}"
        return f"release {self.release}" if self.release else f"the release of run {self.run_id}"


@dataclass(frozen=True, slots=True)
class Alarms:
    """How often a check (None: all of them) warned, failed or ended in an error: in all, and a month."""

    check_id: str | None
    thresholds_were: tuple[float, ...]
    threshold: float | None
    before: int
    after: int
    before_a_month: float
    after_a_month: float


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a change would have done. ``days`` from the first to the last result."""

    first_day: str
    last_day: str
    days: int
    releases: int
    readings: int
    alarms: tuple[Alarms, ...]
    held: tuple[Moved, ...]
    let_through: tuple[Moved, ...]

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def what_if(history: pl.LazyFrame, thresholds: Mapping[str, float], since: date | None = None) -> WhatIf:
    """Judge the history again under other thresholds.

    Args:
        history: the results of a home (``assets.audit.history.history``).
        thresholds: the new threshold by check id; all other checks stay as they were.
        since: the first day that counts; None is the whole history.

    Raises:
        InputProblem: WHAT_IF: the history holds no result, or none of a check.

    """
    found = tried_last(history).filter(pl.col("reason").ne_missing(REFUSED))
    if since is not None:
        found = found.filter(pl.col("at").dt.date() >= since)
    told = found.select(
        pl.col("at").min().dt.date().alias("first"),
        pl.col("at").max().dt.date().alias("last"),
        pl.struct(UNIT).filter(pl.col("delivery_id").is_null()).n_unique().alias("releases"),
        pl.struct(UNIT).filter(pl.col("delivery_id").is_not_null()).n_unique().alias("readings"),
    ).collect()
    first, last, releases, readings = told.row(0)
    if first is None:
        raise InputProblem("WHAT_IF", "what-if", "the history holds no result", "Run a release, or name an earlier day")
    judged = _judged(found, thresholds)
    _refuse_unknown(judged, thresholds)
    days = (last - first).days + 1
    units = _units(judged)
    return WhatIf(
        first.isoformat(),
        last.isoformat(),
        days,
        releases,
        readings,
        tuple(_alarms(judged, thresholds, days)),
        _moved(units.filter(~pl.col("was_held") & pl.col("is_held")), "holds"),
        _moved(units.filter(pl.col("was_held") & ~pl.col("is_held")), "held"),
    )


def _judged(found: pl.LazyFrame, thresholds: Mapping[str, float]) -> pl.DataFrame:
    """Rows that were or would be an alarm or a hold, and all of the changed checks, with the status they would have."""
    asked = pl.col("check_id").replace_strict(thresholds, default=None, return_dtype=pl.Float64())
    share = pl.col("violated") / pl.col("evaluated")
    above = (
        pl.when(pl.col("kind").is_in(YES_OR_NO))
        .then(pl.col("violated") > 0)
        .when(pl.col("score").is_not_null())
        .then(pl.col("score") > pl.col("asked"))
        # the same division as that of Great Expectations, so that the same threshold gives the same result
        .otherwise((pl.col("evaluated") - pl.col("violated")) / pl.col("evaluated") < 1 - pl.col("asked"))
    )
    alarm = pl.when(pl.col("severity") == Severity.CRITICAL).then(pl.lit(Status.FAIL)).otherwise(pl.lit(Status.WARN))
    passed = pl.when(share > 0).then(pl.lit(Status.PASS_WITH_VIOLATIONS)).otherwise(pl.lit(Status.PASS))
    stays = pl.col("asked").is_null() | pl.col("status").is_in(UNTOUCHED)
    return (
        found.with_columns(asked=asked)
        .filter(pl.col("asked").is_not_null() | pl.col("status").is_in(ALARMS))
        .with_columns(then=pl.when(stays).then(pl.col("status")).when(above).then(alarm).otherwise(passed))
        .with_columns(held=_holds("status"), holds=_holds("then"))
        .collect()
    )


def _holds(status: str) -> pl.Expr:
    in_error = (pl.col(status) == Status.ERROR) & (pl.col("severity") == Severity.CRITICAL)
    may_hold = pl.col("blocks") & ~pl.col("waived").fill_null(value=False)
    return in_error | ((pl.col(status) == Status.FAIL) & may_hold)


def _refuse_unknown(judged: pl.DataFrame, thresholds: Mapping[str, float]) -> None:
    missing = sorted(set(thresholds) - set(judged["check_id"]))
    if missing:
        raise InputProblem(
            "WHAT_IF",
            "what-if",
            f"the history holds no result of {', '.join(missing)}",
            "Names are in the check catalogue",
        )


def _units(judged: pl.DataFrame) -> pl.DataFrame:
    names = {name: pl.col("check_id").filter(pl.col(name)).unique().sort().alias(name) for name in ("held", "holds")}
    return (
        judged.group_by(UNIT)
        .agg(
            pl.col("at").max(),
            pl.col("release").drop_nulls().last(),
            was_held=pl.col("held").any(),
            is_held=pl.col("holds").any(),
            **names,
        )
        .sort("at", *UNIT)
    )


def _moved(units: pl.DataFrame, checks: str) -> tuple[Moved, ...]:
    return tuple(
        Moved(
            row["at"].isoformat(timespec="seconds"),
            row["run_id"],
            row["delivery_id"],
            row["release"],
            tuple(row[checks]),
        )
        for row in units.iter_rows(named=True)
    )


def _alarms(judged: pl.DataFrame, thresholds: Mapping[str, float], days: int) -> list[Alarms]:
    def counted(rows: pl.DataFrame, check_id: str | None) -> Alarms:
        before, after = (int(rows[name].is_in(ALARMS).sum()) for name in ("status", "then"))
        were = () if check_id is None else tuple(rows["threshold"].unique().sort().to_list())
        asked = None if check_id is None else thresholds[check_id]
        months = days / DAYS_A_MONTH
        return Alarms(check_id, were, asked, before, after, round(before / months, 2), round(after / months, 2))

    each = [counted(judged.filter(pl.col("check_id") == check_id), check_id) for check_id in sorted(thresholds)]
    return [*each, counted(judged, None)]
