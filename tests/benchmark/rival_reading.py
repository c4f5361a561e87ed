"""The rival, part 1: pandas reads one file of a delivery as text and finds what is wrong with its rows.

Codes and numbers repeat a lot, so they are read as categories: a rule is then decided once per distinct text. The
contract is used as a code book only (names, codes, bounds); how a rule is decided is written here by hand.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assets.contract import CONTRACT
from assets.contract.model import KEY_PATTERN, ColumnType

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from assets.contract.model import Bounds, Column, Table

CHUNK_BYTES = 1 << 24
LONGEST_FIELD, LONGEST_LINE = 66, 4096
COMMA, LINE_FEED, RETURN, TAB, FIRST_PRINTABLE = ord(","), ord("\n"), ord("\r"), ord("\t"), ord(" ")
DECIMALS = 1_000_000
NEEDLING = ("dry_needling", "acupuncture", "sham")
NEVER_MINOR = ("pneumothorax", "nerve_injury", "infection")


@dataclass(slots=True)
class Faults:
    """Rows that violate a rule, by rule; ``bad`` marks the rows to set aside."""

    bad: NDArray[np.bool_]
    found: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    warned: dict[str, int] = field(default_factory=dict)

    def add(self, rule: str, violated: NDArray[np.bool_]) -> None:
        """Set the rows aside for which ``violated`` is true."""
        if violated.any():
            self.found[rule] = np.flatnonzero(violated)
            self.bad |= violated


def read_table(path: Path, table: Table) -> tuple[pd.DataFrame, Faults, list[int]]:
    """Rows of a file with numbers as numbers, what is wrong with them, and the numbers of unreadable records."""
    sent = [column for column in table.columns if not column.optional]
    if path.suffix == ".parquet":
        frame, broken = pd.read_parquet(path), []
        frame["row_number"] = np.arange(1, len(frame) + 1)
        for column in sent:
            if column.type is ColumnType.CODE or (column.type is ColumnType.KEY and not _is_long_key(table, column)):
                frame[column.name] = frame[column.name].astype("category")
    else:
        broken, records = broken_records(path, len(sent))
        types = {c.name: "str" if _is_long_key(table, c) else "category" for c in sent}
        frame = pd.read_csv(
            path,
            dtype=types,
            skiprows=[0, *broken],
            header=None,
            names=list(table.layout),
            keep_default_na=False,
            na_values=[""],
            low_memory=False,
        )
        frame["row_number"] = np.delete(np.arange(1, records + 1), np.array(broken, dtype=np.int64) - 1)
    faults = Faults(np.zeros(len(frame), bool))
    for column in sent:
        _check_column(frame, table, column, faults)
    _check_rows(frame, table, faults)
    return frame, faults, broken


def broken_records(path: Path, columns: int) -> tuple[list[int], int]:
    """Numbers of records (from 1, header not counted) with the wrong number of fields, and how many records there are.

    pandas pads short records and stops at long ones, so they have to be found before.
    """
    broken: list[int] = []
    records, rest = -1, b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            block = rest + chunk
            cut = block.rfind(b"\n") + 1
            rest = block[cut:]
            broken += [records + 1 + int(line) for line in _broken_lines(block[:cut], columns)]
            records += block.count(b"\n", 0, cut)
    if rest:
        broken += [records + 1 + int(line) for line in _broken_lines(rest + b"\n", columns)]
        records += 1
    return [number for number in broken if number > 0], records


def _broken_lines(block: bytes, columns: int) -> NDArray[np.int64]:
    if not block:
        return np.empty(0, np.int64)
    data = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(data == LINE_FEED)
    starts = np.concatenate(([0], ends[:-1] + 1))
    fields = np.add.reduceat((data == COMMA).astype(np.int32), starts) + 1
    if b'"' in block:
        quoted = np.unique(np.searchsorted(ends, np.flatnonzero(data == ord('"'))))
        for line in quoted:
            text = block[starts[line] : ends[line]].decode()
            fields[line] = len(next(csv.reader([text])))
    wrong = (fields != columns) | (ends - starts > max(LONGEST_LINE, LONGEST_FIELD * columns))
    control = (data < FIRST_PRINTABLE) & (data != LINE_FEED) & (data != RETURN) & (data != TAB)
    wrong[np.searchsorted(ends, np.flatnonzero(control))] = True
    return np.flatnonzero(wrong)


def missing(column: pd.Series) -> NDArray[np.bool_]:
    """Where a column of the frame is empty."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return np.asarray(column.cat.codes) < 0
    return column.isna().to_numpy()


def is_one_of(column: pd.Series, codes: tuple[str, ...]) -> NDArray[np.bool_]:
    """Where a category column holds one of the codes."""
    known = np.append(column.cat.categories.isin(codes), False)
    return known[np.asarray(column.cat.codes)]


def _is_long_key(table: Table, column: Column) -> bool:
    """Keys of patients, episodes and visits hardly repeat; those of clinics, therapists and raters do."""
    return column.name in {*table.key, *(reference.column for reference in table.references)} and (
        column.type is ColumnType.KEY
    )


def _check_column(frame: pd.DataFrame, table: Table, column: Column, faults: Faults) -> None:
    name = f"{table.name}.{column.name}"
    values = frame[column.name]
    empty = missing(values)
    if column.required:
        faults.add(f"{name}.required", empty)
    if column.is_number:
        number = _numbers(values, whole=column.type is ColumnType.INTEGER)
        frame[column.name] = number
        faults.add(f"{name}.readable", np.isnan(number) & ~empty)
        _check_bounds(name, number, column.possible, column.plausible, faults)
        return
    allowed = column.allowed
    if column.name == "condition_id":
        allowed = tuple(condition.condition_id for condition in CONTRACT.conditions)
    if column.name == "measure_id":
        allowed = tuple(measure.measure_id for measure in CONTRACT.measures)
    if allowed:
        faults.add(f"{name}.allowed", ~is_one_of(values, allowed) & ~empty)
    if column.type is ColumnType.KEY and column.name not in {reference.column for reference in table.references}:
        faults.add(f"{name}.pattern", ~_has_form(values, KEY_PATTERN) & ~empty)
    if column.pattern:
        faults.add(f"{name}.pattern", ~_has_form(values, column.pattern) & ~empty)


def _check_bounds(
    name: str, number: NDArray[np.float64], possible: Bounds | None, plausible: Bounds | None, faults: Faults
) -> None:
    if possible:
        faults.add(f"{name}.possible", (number < possible.low) | (number > possible.high))
    if plausible:
        odd = (number < plausible.low) | (number > plausible.high)
        faults.warned[f"{name}.plausible"] = int(odd.sum())


def _numbers(values: pd.Series, *, whole: bool) -> NDArray[np.float64]:
    """Numbers of a column of text, NaN where there is none or it cannot be read; scores rounded to six decimals."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return values.astype("float64").to_numpy()
    texts = values.cat.categories
    number = pd.to_numeric(pd.Series(texts, dtype="object"), errors="coerce").to_numpy(dtype="float64", copy=True)
    number[~np.isfinite(number)] = np.nan
    if whole:
        number[number % 1 != 0] = np.nan
    return np.append(number, np.nan)[np.asarray(values.cat.codes)]


def _has_form(values: pd.Series, form: str) -> NDArray[np.bool_]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        good = [re.search(form, str(text)) is not None for text in values.cat.categories]
        return np.append(np.array(good, dtype=bool), False)[np.asarray(values.cat.codes)]
    return values.str.contains(form).fillna(value=False).to_numpy(dtype=bool)


def _check_rows(frame: pd.DataFrame, table: Table, faults: Faults) -> None:
    if table.name == "measurement":
        _check_scores(frame, faults)
    if table.name == "episode":
        open_but_discharged = is_one_of(frame["discharge_reason"], ("still_open",)) & frame["discharge_day"].notna()
        faults.add("episode.discharge_day.only_when_closed", open_but_discharged.to_numpy())
    if table.name == "treatment":
        kind = frame["treatment_class"]
        counted = frame["needle_count"].notna().to_numpy()
        other = ~is_one_of(kind, NEEDLING) & ~missing(kind)
        faults.add("treatment.needle_count.only_needling", other & counted)
        unstated = is_one_of(kind, ("dry_needling",)) & missing(frame["ltr_elicited"])
        faults.warned["treatment.ltr_elicited.stated"] = int(unstated.sum())
    if table.name == "adverse_event":
        mild = is_one_of(frame["severity"], ("minor",)) & is_one_of(frame["event_type"], NEVER_MINOR)
        faults.add("adverse_event.severity.of_type", mild)


def _check_scores(frame: pd.DataFrame, faults: Faults) -> None:
    """Unit, side, decimals and range of each score by what its measure says."""
    measures = {measure.measure_id: measure for measure in CONTRACT.measures}
    known = [measures.get(str(text)) for text in frame["measure_id"].cat.categories]
    code = np.asarray(frame["measure_id"].cat.codes)

    def by_measure(values: list[float]) -> NDArray[np.float64]:
        return np.append(np.array(values, dtype="float64"), np.nan)[code]

    value = frame["value"].to_numpy()
    low = by_measure([m.possible.low if m else np.nan for m in known])
    high = by_measure([m.possible.high if m else np.nan for m in known])
    faults.add("measurement.value.possible", (value < low) | (value > high))
    scaled = np.rint(value * DECIMALS)
    step = by_measure([DECIMALS * float(m.step) if m else np.nan for m in known])
    faults.add("measurement.value.decimals", np.remainder(scaled, step) > 0)
    units = list(frame["unit"].cat.categories)
    right_unit = np.array([[bool(m) and m.unit == unit for unit in [*units, None]] for m in [*known, None]])
    has_both = (code >= 0) & ~missing(frame["unit"])
    is_known = np.append(np.array([m is not None for m in known]), False)[code]
    wrong_unit = ~right_unit[code, np.asarray(frame["unit"].cat.codes)]
    faults.add("measurement.unit.of_measure", wrong_unit & has_both & is_known)
    sided = np.append(np.array([bool(m and m.sided) for m in known]), False)[code]
    has_side = ~missing(frame["side"])
    one_side, none = is_one_of(frame["side"], ("left", "right")), is_one_of(frame["side"], ("none",))
    faults.add("measurement.side.of_measure", ((sided & ~one_side) | (~sided & ~none)) & has_side & is_known)
    usual_low = by_measure([m.plausible.low if m and m.plausible else np.nan for m in known])
    usual_high = by_measure([m.plausible.high if m and m.plausible else np.nan for m in known])
    odd = (value < usual_low) | (value > usual_high)
    per_measure = np.bincount(code[odd & (code >= 0)], minlength=len(known))
    for measure, count in zip(known, per_measure, strict=True):
        if measure and measure.plausible:
            faults.warned[f"measurement.value.plausible.{measure.measure_id}"] = int(count)
