"""Published frames about calendar time: control charts of the outcomes, and what the latest point says.

A period enters a chart when its 12-week window is closed and at least 11 episodes are behind its value. All others stay
gaps: so a number that may not be shown moves no limit either. Months are charted where dates are real, years always.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.contract.charts import CHART_SERIES
from assets.outcomes.frames import BOOLEAN, FLOAT, INTEGER, STRING, Count, Layout, columns, to_tenths
from assets.outcomes.methods import control_charts as charts
from assets.outcomes.methods.means import mean
from assets.outcomes.tables.time_words import Reading, signal_sentence
from assets.outcomes.topic import Topic
from assets.outcomes.universes import BY_MONTH, ELIGIBLE, KNOWN, PAIRS
from assets.privacy.disclosure.profiles import MINIMUM_GROUP, rounded_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from assets.contract.charts import ChartSeries
    from assets.contract.model import Contract
    from assets.outcomes.topic import Frames

GROUP = ("condition_id", "clinic_key")
TOO_FEW = "too_few"
LATEST_HIDDEN = "The latest point is not shown: its number of patients would tell that of a small group."
MEANS = [series.series_id for series in CHART_SERIES if not series.is_share]
SERIES_KEYS = columns(STRING, "series", "time_unit", *GROUP)
CHARTED = {"year": "", "month": BY_MONTH, "recovered": KNOWN, "pain_change": PAIRS, "completeness": ELIGIBLE}
"""Time unit and series -> whom its sizes count. Years are those of the other tables; only some feeds have months."""


def _chart_as_printed(protected: pl.DataFrame) -> pl.DataFrame:
    """Points have one decimal, shares two."""
    return to_tenths(protected, pl.col("series").is_in(MEANS), "value", "centre", "lower", "upper")


OVER_TIME = Layout(
    {**SERIES_KEYS, **columns(STRING, "period")},
    {
        **columns(INTEGER, "n"),
        **columns(FLOAT, "value", "centre", "lower", "upper"),
        **columns(STRING, "chart", "limits", "point_class", "rules", "definition_id"),
        **columns(INTEGER, "phase"),
        **columns(BOOLEAN, "is_window_closed"),
    },
    groups=("n",),
    statistic="outcome_over_time",
    counts={"n": Count("{}{}", by=("time_unit", "series"), names=CHARTED)},
    plain=("phase",),
    finish=_chart_as_printed,
)


def _signal_as_printed(protected: pl.DataFrame) -> pl.DataFrame:
    """Points have one decimal, shares two; what rests on a latest period that is hidden is not said."""
    rounded = to_tenths(protected, pl.col("series").is_in(MEANS), "centre", "lower", "upper")
    is_hidden = (pl.col("points") > 0) & pl.col("last_n").is_null()
    said = {"verdict": TOO_FEW, "sentence": LATEST_HIDDEN, "rule": None}
    return rounded.with_columns(
        pl.when(is_hidden).then(pl.lit(said.get(name), dtype)).otherwise(pl.col(name)).alias(name)
        for name, dtype in {**columns(STRING, *said), **columns(FLOAT, "lower", "upper")}.items()
    )


SIGNAL = Layout(
    SERIES_KEYS,
    {
        **columns(INTEGER, "n", "last_n", "points", "phase"),
        **columns(STRING, "chart", "limits", "first_period", "last_period"),
        **columns(FLOAT, "centre", "lower", "upper"),
        **columns(STRING, "verdict", "rule"),
        **columns(INTEGER, "earlier_signals"),
        **columns(STRING, "sentence", "definition_id"),
    },
    groups=("n",),
    statistic="outcome_signal",
    counts={
        "n": Count("charted"),
        "last_n": Count("{}{}", by=("time_unit", "series"), names=CHARTED, renamed={"last_period": "period"}),
    },
    plain=("points", "phase", "earlier_signals"),
    finish=_signal_as_printed,
)

FROZEN, TRIAL = "frozen", "trial"
COMMON_CAUSE, BETTER, CONCERN, NONE = "common_cause", "better", "concern", "none"
RULES = {"outside": "outside", "run": "run_of_7", "two_of_three": "two_of_three", "trend": "trend_of_7"}
"""Rule of the method -> its published code, in the order in which the sentence names them."""
VERDICTS = {BETTER: "better", CONCERN: "concern", COMMON_CAUSE: "stable"}
COUNTS = {"recovered": ("recovered", "known"), "pain_change": (None, "pairs"), "completeness": ("known", "eligible")}
"""Series -> columns of ``marts.period_count`` with the successes (None: a mean of changes) and with the group size."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The series of one quantity and time unit over all periods without a hole; arrays (series, periods).

    ``value`` is NaN in gaps, where ``n`` and ``successes`` are 0; ``counted`` is the group size whatever comes of it.
    """

    keys: pl.DataFrame
    periods: tuple[str, ...]
    closed: NDArray[np.bool_]
    counted: NDArray[np.int64]
    successes: NDArray[np.float64]
    n: NDArray[np.float64]
    value: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Chart:
    """What the methods say about a grid; arrays (series, periods). ``rules`` are the signals by name of the rule."""

    phase: NDArray[np.int64]
    centre: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    chart: NDArray[np.str_]
    frozen: NDArray[np.bool_]
    direction: NDArray[np.int8]
    rules: dict[str, NDArray[np.int8]]


def over_time(period_count: pl.DataFrame, rebase: pl.DataFrame, contract: Contract) -> dict[str, pl.DataFrame]:
    """Return the charts, point by point, and what each series says as a whole."""
    points, verdicts = [], []
    for unit in ("month", "year"):
        counts = period_count.filter(pl.col("time_unit") == unit).sort("period", *GROUP, nulls_last=False)
        periods = _periods(counts, unit)
        for series in CHART_SERIES if periods else ():
            definition = contract.default_definition.definition_id if series.is_share else None
            grid = _grid(counts, periods, series)
            chart = _chart(grid, series, _phases(grid, series, rebase))
            labels = {"series": series.series_id, "time_unit": unit, "definition_id": definition}
            named = [pl.lit(text, pl.String).alias(name) for name, text in labels.items()]
            points.append(_points(grid, chart, series).with_columns(named))
            verdicts.append(_verdicts(grid, chart, series, unit).with_columns(named))
    return {
        "outcome_over_time": OVER_TIME.arrange(_stacked(points, OVER_TIME)),
        "outcome_signal": SIGNAL.arrange(_stacked(verdicts, SIGNAL)),
    }


def _stacked(frames: Sequence[pl.DataFrame], layout: Layout) -> pl.DataFrame:
    schema = {**layout.keys, **layout.numbers}
    typed = [frame.select(pl.col(name).cast(kind) for name, kind in schema.items()) for frame in frames]
    return pl.concat([pl.DataFrame(schema=schema), *typed])


def _periods(counts: pl.DataFrame, unit: str) -> tuple[str, ...]:
    """All periods, without a hole, from the first to the last that is no stray date: one with 11 episodes in all."""
    network = counts.filter(pl.col("condition_id").is_null(), pl.col("clinic_key").is_null())
    found = network.filter(pl.col("episodes") >= MINIMUM_GROUP)["period"].sort().to_list()
    if not found:
        return ()
    if unit == "year":
        return tuple(str(year) for year in range(int(found[0]), int(found[-1]) + 1))
    first, last = (int(period[:4]) * 12 + int(period[5:]) - 1 for period in (found[0], found[-1]))
    return tuple(f"{month // 12:04d}-{month % 12 + 1:02d}" for month in range(first, last + 1))


def _grid(counts: pl.DataFrame, periods: tuple[str, ...], series: ChartSeries) -> Grid:
    keys = counts.select(GROUP).unique().sort(GROUP, nulls_last=False)
    axis = pl.DataFrame({"period": periods}, schema={"period": pl.String})
    full = (
        keys.join(axis, how="cross")
        .join(counts, on=[*GROUP, "period"], how="left", nulls_equal=True)
        .sort(*GROUP, "period", nulls_last=False)
    )
    shape = (keys.height, len(periods))
    # whether a period is closed is the same for all series: also for those without episodes in it
    is_closed = dict(counts.select("period", "is_window_closed").unique().iter_rows())
    closed = np.array([bool(is_closed.get(period)) for period in periods])
    successes, size = COUNTS[series.series_id]
    counted = full[size].fill_null(0).to_numpy().reshape(shape)
    shown = (counted >= MINIMUM_GROUP) & closed
    if successes is None:
        value = mean(full["change_sum"], full[size].fill_null(0)).reshape(shape)
        wins = np.zeros(shape)
    else:
        found = full[successes].fill_null(0).to_numpy().reshape(shape)
        if successes == "known":
            # a share of few known outcomes would tell their number, which is not shown anywhere
            shown &= (found == 0) | (found >= MINIMUM_GROUP)
        wins = np.where(shown, found, 0).astype(np.float64)
        value = np.divide(wins, counted, out=np.full(shape, np.nan), where=counted > 0)
    return Grid(
        keys=keys,
        periods=periods,
        closed=closed,
        counted=counted.astype(np.int64),
        successes=wins,
        n=np.where(shown, counted, 0).astype(np.float64),
        value=np.where(shown, value, np.nan),
    )


def _phases(grid: Grid, series: ChartSeries, rebase: pl.DataFrame) -> NDArray[np.int64]:
    """Number of the phase of every point, from 1: one more from each period on that a decision names."""
    phase = np.ones(grid.value.shape, np.int64)
    rows = {key: row for row, key in enumerate(grid.keys.iter_rows())}
    decided = rebase.filter(pl.col("series") == series.series_id).select(*GROUP, "from_period").unique()
    for condition_id, clinic_key, period in decided.sort(pl.all(), nulls_last=False).iter_rows():
        row = rows.get((condition_id, clinic_key))
        if row is not None and period in grid.periods:
            phase[row, grid.periods.index(period) :] += 1
    return phase


def _chart(grid: Grid, series: ChartSeries, phase: NDArray[np.int64]) -> Chart:
    shape = grid.value.shape
    found = Chart(
        phase=phase,
        centre=np.full(shape, np.nan),
        lower=np.full(shape, np.nan),
        upper=np.full(shape, np.nan),
        chart=np.full(shape, "", dtype="U8"),
        frozen=np.zeros(shape, bool),
        direction=np.zeros(shape, np.int8),
        rules={rule: np.zeros(shape, np.int8) for rule in RULES},
    )
    for number in range(1, int(phase.max(initial=0)) + 1):
        rows = np.flatnonzero((phase == number).any(axis=1))
        _add_phase(found, grid, series, rows, phase[rows] == number)
    return found


def _add_phase(found: Chart, grid: Grid, series: ChartSeries, rows: NDArray[np.int64], here: NDArray[np.bool_]) -> None:
    """Compute one phase of the series in ``rows``; nothing outside it counts."""
    value = np.where(here, grid.value[rows], np.nan)
    used = charts.first_points(value)
    limits, kind = charts.xmr_limits(value, used), np.full(len(rows), charts.XMR, dtype="U8")
    if series.is_share:
        wins, n = np.where(here, grid.successes[rows], 0), np.where(here, grid.n[rows], 0)
        kind = np.array(charts.chart_kind(wins, n, used), dtype="U8")
        for name, other in ((charts.P, charts.p_limits), (charts.LANEY, charts.laney_limits)):
            limits = _where(kind == name, other(wins, n, used), limits)
    frozen = (used.sum(axis=1) == charts.BASELINE_POINTS) & (limits.ranges >= charts.FEWEST_RANGES)
    signals = charts.signals(value, limits)
    at = np.ix_(rows, np.arange(value.shape[1]))
    for name in ("centre", "lower", "upper"):
        getattr(found, name)[at] = np.where(here, getattr(limits, name), getattr(found, name)[at])
    found.chart[at] = np.where(here, kind[:, None], found.chart[at])
    judged = here & frozen[:, None]
    found.frozen[at] |= judged
    found.direction[at] = np.where(judged, signals.direction, found.direction[at])
    for rule, array in found.rules.items():
        array[at] = np.where(judged, getattr(signals, rule), array[at])


def _where(chosen: NDArray[np.bool_], one: charts.Limits, other: charts.Limits) -> charts.Limits:
    """The limits of ``one`` for the series that are ``chosen``, of ``other`` for the rest."""
    rows = chosen[:, None]
    return charts.Limits(
        centre=np.where(rows, one.centre, other.centre),
        lower=np.where(rows, one.lower, other.lower),
        upper=np.where(rows, one.upper, other.upper),
        mean_range=np.where(chosen, one.mean_range, other.mean_range),
        ranges=np.where(chosen, one.ranges, other.ranges),
        dispersion=np.where(chosen, one.dispersion, other.dispersion),
    )


def _points(grid: Grid, chart: Chart, series: ChartSeries) -> pl.DataFrame:
    """One row per period of every series that has a point to show."""
    lower, upper = _cut(chart, series)
    has_value = ~np.isnan(grid.value)
    has_limits = ~np.isnan(chart.centre)
    columns_ = {
        "n": grid.counted,
        "value": grid.value,
        "centre": chart.centre,
        "lower": lower,
        "upper": upper,
        "chart": _texts(chart.chart, has_limits),
        "limits": _texts(np.where(chart.frozen, FROZEN, TRIAL), has_limits),
        "point_class": _classes(grid, chart, series),
        "rules": _codes(chart),
        "phase": chart.phase,
        "is_window_closed": np.broadcast_to(grid.closed, grid.value.shape),
    }
    rows, periods = grid.value.shape
    shown = np.repeat(has_value.any(axis=1), periods)
    long = grid.keys.select(pl.all().repeat_by(periods).explode()) if rows else grid.keys
    return long.with_columns(
        pl.Series("period", list(grid.periods) * rows, dtype=pl.String),
        *(pl.Series(name, array.ravel().tolist()) for name, array in columns_.items()),
    ).filter(pl.Series(shown))


def _texts(texts: NDArray[np.str_] | NDArray[np.object_], shown: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Texts where ``shown``, else nothing."""
    found = np.full(texts.shape, None, dtype=object)
    found[shown] = texts[shown]
    return found


def _cut(chart: Chart, series: ChartSeries) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Limits as shown: a share cannot leave 0 to 1."""
    if not series.is_share:
        return chart.lower, chart.upper
    return np.clip(chart.lower, 0, None), np.clip(chart.upper, None, 1)


def _classes(grid: Grid, chart: Chart, series: ChartSeries) -> NDArray[np.object_]:
    better = chart.direction if series.higher_is_better else -chart.direction
    found = np.full(better.shape, NONE, dtype=object)
    judged = chart.frozen & ~np.isnan(grid.value)
    for name, direction in ((BETTER, charts.UP), (CONCERN, charts.DOWN), (COMMON_CAUSE, charts.NEITHER)):
        found[judged & (better == direction)] = name
    return found


def _codes(chart: Chart) -> NDArray[np.object_]:
    """Rules that flag each point, joined by +."""
    codes = np.full(chart.phase.shape, "", dtype=object)
    for rule, code in RULES.items():
        flagged = chart.rules[rule] != charts.NEITHER
        codes[flagged] += np.where(codes[flagged] == "", code, f"+{code}").astype(object)
    return _texts(codes, codes != "")


def _verdicts(grid: Grid, chart: Chart, series: ChartSeries, unit: str) -> pl.DataFrame:
    """One row per series: what its latest point says, in words too."""
    lower, upper = _cut(chart, series)
    chart = replace(chart, lower=lower, upper=upper)
    classes = _classes(grid, chart, series)
    rows = [_verdict(grid, chart, series, unit, row, classes[row]) for row in range(grid.keys.height)]
    kinds = {name: kind for name, kind in SIGNAL.numbers.items() if name != "definition_id"}
    return pl.concat([grid.keys, pl.DataFrame(rows, schema=kinds, orient="row")], how="horizontal")


def _verdict(
    grid: Grid, chart: Chart, series: ChartSeries, unit: str, row: int, classes: NDArray[np.object_]
) -> dict[str, object]:
    shown = np.flatnonzero(~np.isnan(grid.value[row]))
    if not len(shown):
        sentence = signal_sentence(series, unit, Reading(TOO_FEW, 0))
        return {"n": 0, "points": 0, "verdict": TOO_FEW, "earlier_signals": 0, "sentence": sentence}
    last = int(shown[-1])
    phase = chart.phase[row]
    current = shown[phase[shown] == phase[last]]
    rule = next((rule for rule in RULES if chart.rules[rule][row, last] != charts.NEITHER), None)
    has_limits = not np.isnan(chart.centre[row, last])
    reading = Reading(
        verdict=VERDICTS.get(str(classes[last]), TOO_FEW),
        points=len(current),
        rule=rule,
        is_up=bool(chart.direction[row, last] == charts.UP),
        pattern=[grid.periods[t] for t in _pattern(chart, row, last, rule)],
        is_latest=not grid.closed[last + 1 :].any(),
        rebased_from=grid.periods[int(np.argmax(phase == phase[last]))] if phase[last] > 1 else None,
        limits=(float(chart.lower[row, last]), float(chart.upper[row, last])),
        n=None if chart.chart[row, last] == charts.XMR else int(rounded_count(grid.counted[row, last])),
        earlier=[grid.periods[t] for t in current[:-1] if chart.direction[row, t] != charts.NEITHER],
    )
    return {
        "n": int(grid.counted[row, shown].sum()),
        "last_n": int(grid.counted[row, last]),
        "points": len(current),
        "phase": int(phase[last]),
        "chart": str(chart.chart[row, last]) if has_limits else None,
        "limits": (FROZEN if chart.frozen[row, last] else TRIAL) if has_limits else None,
        "first_period": grid.periods[current[0]],
        "last_period": grid.periods[last],
        "centre": chart.centre[row, last],
        "lower": chart.lower[row, last],
        "upper": chart.upper[row, last],
        "verdict": reading.verdict,
        "rule": RULES[rule] if rule else None,
        "earlier_signals": len(reading.earlier),
        "sentence": signal_sentence(series, unit, reading),
    }


def _pattern(chart: Chart, row: int, last: int, rule: str | None) -> range:
    """The points that the signal of the latest one is about, as a range of positions that ends with it."""
    if rule is None or rule == "outside":
        return range(last, last + 1)
    if rule == "two_of_three":
        return range(last - 2, last + 1)
    flags = chart.rules[rule][row, : last + 1]
    breaks = [t for t, (one, next_) in enumerate(pairwise(flags), start=1) if one != next_]
    return range(breaks[-1] if breaks else 0, last + 1)


def _build(marts: Frames, contract: Contract) -> dict[str, pl.DataFrame]:
    return over_time(marts["marts.period_count"], marts["lake.rebase"], contract)


TOPIC = Topic(
    reads=("marts.period_count", "lake.rebase"),
    tables={
        "outcome_over_time": "Outcomes by month or year of the first visit, with control limits and signals",
        "outcome_signal": "What the latest point of each chart over time says, in words",
    },
    build=_build,
    layouts={
        "outcome_over_time": OVER_TIME,
        "outcome_signal": SIGNAL,
    },
)
