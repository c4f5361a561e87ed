"""The sentence beside a chart over time. It names the rule and the period; it never says why something changed."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

from assets.contract.charts import MONTHS
from assets.outcomes.methods.control_charts import BASELINE_POINTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assets.contract.charts import ChartSeries

OPENING = {"better": "Improving", "concern": "Concern"}


def period_words(period: str) -> str:
    """``2025-10`` as October 2025, ``2025`` as 2025."""
    return f"{MONTHS[int(period[5:]) - 1]} {period[:4]}" if len(period) > 4 else period  # noqa: PLR2004 YYYY


@dataclass(frozen=True, slots=True)
class Reading:
    """What the latest point of a series says.

    ``verdict`` is better, concern, stable or too_few. ``rule`` flags the latest point (None: no rule does),
    ``is_up`` says in which direction, ``pattern`` are the periods it looked at, ``is_latest`` whether no closed period
    comes after them. ``points`` counts those of the current phase, which began in ``rebased_from`` (None: the first
    phase); ``earlier`` are other periods of it that were flagged. ``limits`` hold at the latest point, for groups of
    about ``n``, a size as printed (None: of any size).
    """

    verdict: str
    points: int
    rule: str | None = None
    is_up: bool = False
    pattern: Sequence[str] = ()
    is_latest: bool = True
    rebased_from: str | None = None
    limits: tuple[float, float] = (nan, nan)
    n: int | None = None
    earlier: Sequence[str] = ()


def signal_sentence(series: ChartSeries, unit: str, reading: Reading) -> str:
    """Say in a sentence or two what the latest point of a series says; ``unit`` is month or year."""
    if reading.verdict == "too_few":
        return _too_few(unit, reading)
    if reading.verdict in OPENING and reading.rule is not None:
        return f"{OPENING[reading.verdict]}: {_said(unit, reading.rule, reading)}."
    changes = f"{unit}-to-{unit} changes are ordinary variation."
    expect = _expected(series, unit, reading)
    if not reading.is_latest:
        expect += f" The last {unit} with enough {series.counted} is {period_words(reading.pattern[-1])}."
    if not reading.earlier:
        return f"Stable: {changes} {expect}"
    count = len(reading.earlier)
    before = f"{count} earlier {unit}{'s were signals' if count > 1 else ' was a signal'}"
    last = period_words(reading.earlier[-1])
    return f"Stable now: the latest {changes} {before}, the last in {last}. {expect}"


def _said(unit: str, rule: str, reading: Reading) -> str:
    first, last = period_words(reading.pattern[0]), period_words(reading.pattern[-1])
    if rule == "outside":
        return f"{'above the upper' if reading.is_up else 'below the lower'} limit in {last}"
    if rule == "run":
        when = f"since {first}" if reading.is_latest else f"from {first} to {last}"
        return f"{'above' if reading.is_up else 'below'} the average in every {unit} {when}"
    if rule == "trend":
        change = "rise" if reading.is_up else "fall"
        return f"a {change} over {len(reading.pattern)} {unit}s in a row, {first} to {last}"
    return f"two of three {unit}s close to the {'upper' if reading.is_up else 'lower'} limit, {first} to {last}"


def _too_few(unit: str, reading: Reading) -> str:
    since = f" since the limits were set anew in {period_words(reading.rebased_from)}" if reading.rebased_from else ""
    if reading.points >= BASELINE_POINTS:
        return f"Too many gaps to judge{since}: limits need {unit}s that follow each other."
    return f"Too few {unit}s to judge{since}: {reading.points} of the {BASELINE_POINTS} that limits need."


def _expected(series: ChartSeries, unit: str, reading: Reading) -> str:
    low, high = reading.limits
    if series.is_share and low <= 0 and high >= 1:
        return f"The groups are too small for limits: no single {unit} could be outside them."
    between = f"{low:.0%} and {high:.0%}" if series.is_share else f"{low:.1f} and {high:.1f} {series.unit}"
    period = f"any {unit}" if reading.n is None else f"a {unit} with about {reading.n:,} {series.counted}"
    return f"Expect between {between} in {period} if nothing changes."
