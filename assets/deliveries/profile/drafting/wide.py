"""Scores that stand side by side: which measure each column is, on which side, at which planned time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from assets.deliveries.profile.drafting.columns import CODE_ROWS
from assets.deliveries.profile.drafting.mapping import PLACEHOLDER
from assets.deliveries.profile.drafting.naming import Meaning, Time, meaning_of
from assets.deliveries.profile.drafting.writing import Line, VisitDraft, flow, scalar, sequence, together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assets.contract.model import Contract, Measure
    from assets.deliveries.profile.drafting.columns import Column

MOST_UNKNOWN = 6
"""Unknown columns that occur at several times and are proposed as scores; more of them are items of questionnaires."""
FEW_VALUES, MANY_ROWS = 5, 20
"""A pain scale of which no value of 5 or more occurs in many rows is rather an item with a few answers."""
UNDATED = Time(0, "baseline", 0)


@dataclass(frozen=True, slots=True)
class ScoreColumn:
    """A column that seems to hold scores of one measure at one time."""

    column: Column
    meaning: Meaning
    known: bool

    @property
    def time(self) -> Time:
        """When it was taken; a column that does not say so was taken at the one visit there is."""
        return self.meaning.time or UNDATED


def score_columns(columns: Sequence[Column], contract: Contract) -> tuple[ScoreColumn, ...]:
    """The columns that hold scores: known measures, and unknown ones that occur at several times."""
    numbers = [(column, meaning_of(column.name, contract)) for column in columns if column.is_number]
    known = [ScoreColumn(column, meaning, known=True) for column, meaning in numbers if _fits(column, meaning)]
    taken = {score.column.name for score in known}
    others = [(column, meaning) for column, meaning in numbers if column.name not in taken and meaning.time]
    repeated = Counter(meaning.stem for _, meaning in others if meaning.stem)
    stems = {stem for stem, count in repeated.items() if count > 1 and "predicted" not in stem}
    if len(stems) > MOST_UNKNOWN:
        scored = {meaning.stem for _, meaning in others if meaning.is_score}
        stems &= scored
    unknown = [ScoreColumn(column, meaning, known=False) for column, meaning in others if meaning.stem in stems]
    return tuple(sorted((*known, *unknown), key=lambda score: (score.time, score.column.name)))


def _fits(column: Column, meaning: Meaning) -> bool:
    """Whether the values may be scores of the measure that the name says."""
    if not meaning.measures:
        return False
    return not (
        meaning.measures[0].startswith("nprs") and 0 < column.high < FEW_VALUES and column.distinct <= FEW_VALUES
    )


def visit_drafts(
    scores: Sequence[ScoreColumn], side: Column | None, contract: Contract, frame: pl.DataFrame
) -> tuple[VisitDraft, ...]:
    """The planned visits of a wide layout, in order of time."""
    times = sorted({score.time for score in scores})
    drafts = []
    for position, time in enumerate(times):
        here = [score for score in scores if score.time == time]
        day, ask = _day(time, position)
        kind = "eval" if position == 0 else "discharge" if time.name == "discharge" else "follow_up"
        lines = tuple(score_line(score, side, contract, _blank_sibling(score, here, frame)) for score in here)
        drafts.append(VisitDraft(Line(f"name: {time.name}"), Line(f"day: {day}", ask), kind, lines))
    return tuple(drafts)


def _blank_sibling(score: ScoreColumn, here: Sequence[ScoreColumn], frame: pl.DataFrame) -> str | None:
    """Another score of the same visit such that this one is 0 wherever that is blank: then it was never recorded."""
    own = score.column.name
    for other in here:
        blank = frame.filter(_blank(other.column.name))[own]
        if other is not score and len(blank) >= CODE_ROWS and bool((blank.cast(pl.Float64, strict=False) == 0).all()):
            return None if blank.null_count() else other.column.name
    return None


def _blank(name: str) -> pl.Expr:
    return pl.col(name).is_null() | (pl.col(name).str.strip_chars() == "")


def _day(time: Time, position: int) -> tuple[str, str]:
    if time.day is not None:
        return str(time.day), ""
    if position == 0:
        return "0", "is this the first visit?"
    return PLACEHOLDER.format("DAY"), "on which day, counted from the first visit, was this planned?"


def score_line(score: ScoreColumn, side: Column | None, contract: Contract, sibling: str | None = None) -> Line:
    """One score: its measure, column, side, unit and missing codes."""
    asks: list[str] = []
    measures = score.meaning.measures if score.known else ()
    entry = {"measure": measures[0] if measures else PLACEHOLDER.format("MEASURE"), "column": scalar(score.column.name)}
    if len(measures) > 1:
        asks.append(f"is it {' or '.join(measures)}?")
    elif not measures:
        asks.append("which measure is this? If the contract has it not, describe it under measures")
    measure = contract.measure(measures[0]) if measures else None
    if score.meaning.side and (measure is None or measure.sided):
        entry["side"] = flow({"constant": score.meaning.side})
    elif side is not None and (measure is None or measure.sided):
        entry["side"] = scalar(side.name)
        asks.append(f"is the side in {scalar(side.name)}? Translate its codes if they are not left and right")
    elif measure is not None and measure.sided:
        asks.append("on which side?")
    if measure is not None:
        entry["method"] = flow({"constant": "unknown" if measure.construct == "rom" else "questionnaire"})
        asks.extend(_doubts(score.column, measure, entry))
    if sibling:
        entry["missing_when_blank"] = scalar(sibling)
        asks.append(f"it is 0 wherever {scalar(sibling)} is blank; was it not recorded there?")
    if score.column.blanks:
        entry["missing"] = sequence(score.column.blanks)
        asks.append(f"do {', '.join(score.column.blanks)} mean not recorded?")
    return Line(flow(entry), together(asks))


def _doubts(column: Column, measure: Measure, entry: dict[str, str]) -> list[str]:
    """What the range of the values does not fit."""
    low, high = measure.possible.low, measure.possible.high
    if measure.measure_id == "vas_mm" and column.high <= high / 10:
        entry["unit"] = flow({"unit": "mm", "times": "10"})
        return ["no value is above 10: is it in cm, as proposed here, in mm, or a numeric rating of 0 to 10?"]
    if column.low < low or column.high > high:
        return [f"some values lie outside {low:g} to {high:g}: another scale, or codes for not recorded?"]
    if not column.is_whole and measure.decimals == 0:
        return ["the scale has no decimals, some values do: is it this measure?"]
    return []
