"""Cards of the page of clinics about calendar time: recovery, and in small everything else that can be charted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.charts import CHART_SERIES
from dashboards import clinic_words as say
from dashboards.figures import control_chart, control_grid
from dashboards.markup import clean
from dashboards.pages.clinic_frames import MONTH, RECOVERED
from dashboards.pages.clinic_selection import HIDDEN
from dashboards.pages.parts import Card, Column, Key, Table
from dashboards.words import decimal, listing, percent, plural, whole

if TYPE_CHECKING:
    from assets.contract.charts import ChartSeries
    from dashboards.pages.clinic_selection import Selection
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Cell, State
    from dashboards.published import Row

FROZEN = "frozen"
OVER_KEYS: dict[str, set[str | None]] = {
    "judged": {FROZEN},
    "open": {control_chart.TRIAL, None},
    "trial": {control_chart.TRIAL},
}
"""Entries of the key of the chart over time, and the kinds of limits with which they are needed."""
OVER_TIME = Card(
    "over",
    "Is recovery changing over time?",
    12,
    "Each point is the share that recovered of those with a first visit in that month (or year). The middle line is "
    "the average of the first twelve points, the dashed lines the limits within which points vary if nothing changes. "
    "Four rules make a signal: a point outside a limit; seven in a row on one side of the average; seven rising or "
    "falling in a row; two of three close to one limit. Everything else is ordinary variation. Fewer than twelve "
    "points give trial limits, by which nothing is judged. A signal says that something changed, not why.",
    Table(
        "over",
        "Recovery by period of the first visit",
        (
            Column("Period"),
            Column("Known outcomes", "int"),
            Column("Recovered", "pct"),
            Column("Average", "pct"),
            Column("Lower limit", "pct"),
            Column("Upper limit", "pct"),
            Column("What it is"),
            Column("Rule"),
        ),
        written=0,
    ),
    keys=(
        Key("circle", "ordinary variation", when="judged"),
        Key("above", "signal for the better", when="judged"),
        Key("below", "signal of concern", when="judged"),
        Key("dashed", "limits", when="judged"),
        Key("open", "not judged", when="open"),
        Key("dotted", "trial limits", when="trial"),
    ),
    passport="outcome_over_time",
)
CHARTS = Card(
    "charts",
    "What else is changing over time?",
    12,
    "The same chart for the other outcomes of the clinic, and for each condition with enough patients a month. Each "
    "has its own scale.",
    Table(
        "charts",
        "Outcomes by period of the first visit",
        (
            Column("Outcome"),
            Column("Period"),
            Column("Rests on", "int"),
            Column("Value"),
            Column("Average"),
            Column("Lower limit"),
            Column("Upper limit"),
            Column("What it is"),
            Column("Rule"),
        ),
        grouped=True,
        written=0,
    ),
    passport="outcome_over_time",
)


def fill(selection: Selection, made: State) -> None:
    """Add recovery over time of a clinic and a condition."""
    rows = selection.frames.over_time.get(selection.place, [])
    points = sum(row["value"] is not None for row in rows)
    is_drawn = points > 1
    made.plots["over"] = control_chart.spec(rows, is_share=True) if is_drawn else None
    few = f"{'one year' if points else 'no month or year'} has {selection.meta.minimum_group} or more known outcomes"
    made.text["over.none"] = "" if is_drawn else f"Nothing to draw for this selection: {few}."
    gaps = f" {_gaps(rows, selection.meta)}" if is_drawn else ""
    made.text["over.say"] = f"{signal_words(selection, RECOVERED)}{gaps}"
    made.rows["over"] = [_period_cells(row, selection.meta) for row in rows]
    limits = {row["limits"] for row in rows if is_drawn and row["value"] is not None}
    made.hide += [name for name, kinds in OVER_KEYS.items() if not limits & kinds]


def signal_words(selection: Selection, series: str) -> str:
    """What the chart of a series says."""
    row = selection.frames.signals.get(selection.place, {}).get(series)
    if row is None:
        return "Recovery of this selection is not charted over time."
    return clean(row["sentence"]) if row["sentence"] else "Too few patients to judge."


def _gaps(rows: list[Row], meta: SiteMeta) -> str:
    unit = "month" if rows and rows[0]["time_unit"] == MONTH else "year"
    is_open = sum(row["is_window_closed"] is False for row in rows)
    few = sum(row["value"] is None and row["is_window_closed"] is not False for row in rows)
    parts = [f"{plural(few, unit)} with {meta.too_few}"] if few else []
    parts += [f"{plural(is_open, unit)} in which the 12 weeks are not over"] if is_open else []
    return f"Left out: {listing(parts)}." if parts else ""


def _period_cells(row: Row, meta: SiteMeta) -> list[Cell]:
    shares: list[Cell] = [whole(row[name]) for name in ("value", "centre", "lower", "upper")]
    return _cells(row, shares, meta)


def _cells(row: Row, numbers: list[Cell], meta: SiteMeta) -> list[Cell]:
    if row["suppressed"]:
        return [row["period"], meta.hidden, *[HIDDEN] * 4, meta.too_few, None]
    if row["value"] is None:
        words = "12 weeks not over" if row["is_window_closed"] is False else meta.too_few
        return [row["period"], row["n"], *[None] * 4, words, None]
    trial = ", trial limits" if row["limits"] == control_chart.TRIAL else ""
    what = say.CLASSES.get(row["point_class"] or "none", say.CLASSES["none"])
    return [row["period"], row["n"], *numbers, f"{what}{trial}", say.rule_words(row["rules"])]


def fill_charts(selection: Selection, made: State) -> None:
    """Add the small charts of a clinic: its other outcomes, and recovery by condition."""
    frames = selection.frames
    panels: list[control_grid.Panel] = []
    cells: list[list[Cell]] = []
    said: list[str] = []
    recovery = next(series for series in CHART_SERIES if series.series_id == RECOVERED)
    wanted: list[tuple[str | None, str, ChartSeries]] = [
        (None, series.label, series) for series in CHART_SERIES if series.series_id != RECOVERED
    ]
    wanted += [(key, label, recovery) for key, label in frames.published.conditions]
    few: list[str] = []
    for condition, label, series in wanted:
        rows = frames.charted.get((condition, selection.clinic, series.series_id), [])
        if not any(row["limits"] == FROZEN and row["value"] is not None for row in rows):
            few.append(frames.published.condition_in_sentence(condition) if condition else label.lower())
            continue
        panels.append({"title": label, "rows": rows, "is_share": series.is_share})
        cells += [[label, *_cells(row, _values(row, series), selection.meta)] for row in rows]
        signal = frames.signals.get((condition, selection.clinic), {}).get(series.series_id)
        said += [f"{label}: {clean(signal['sentence'])}"] if signal and signal["sentence"] else []
    if few:
        said.append(f"Too few patients a month for a chart: {listing(few)}.")
    made.plots["charts"] = control_grid.spec(panels) if panels else None
    made.text["charts.say"] = " ".join(said)
    made.text["charts.none"] = "" if panels else "Nothing else of this clinic can be charted."
    made.rows["charts"] = cells


def _values(row: Row, series: ChartSeries) -> list[Cell]:
    numbers = (row[name] for name in ("value", "centre", "lower", "upper"))
    return [percent(number) if series.is_share else decimal(number) for number in numbers]
