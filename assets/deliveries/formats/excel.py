"""Excel workbooks (.xlsx): the cells of one sheet as text, as the sheet would be written to CSV."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

import polars as pl

from assets.deliveries.formats.sheet import SheetReader
from assets.deliveries.formats.table import ROW_NUMBER, STRUCTURE, TextTable, frame_names
from assets.deliveries.formats.text_writer import TextWriter
from assets.deliveries.formats.workbook import opened
from assets.deliveries.problems import InputProblem
from assets.deliveries.structure import USUAL_FIELD_BYTES, USUAL_LINE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from assets.deliveries.formats.workbook import Sheet, Workbook
    from assets.deliveries.limits import Limits
    from assets.deliveries.profile.fields import FileSource

_BATCH_CELLS = 1 << 18
_BATCH_ROWS = 512
"""At least, for every batch costs as much as a thousand cells for each column."""
_BATCH_CHARACTERS = 1 << 24
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
"""Control characters, and halves of characters, which a workbook can escape but no text can hold."""


def open_excel(path: Path, name: str, source: FileSource, scratch: Path, limits: Limits) -> TextTable:
    """Open a workbook.

    The first row of the sheet is the header; rows are counted from the one below it, blank ones among them, up to the
    last that holds anything. A row is malformed if it holds a formula without a result, a merged cell, something beyond
    the header, or text that does not belong.

    Raises:
        InputProblem: FORMAT, TRUNCATED, SHEET, HEADER, TOO_LARGE, TOO_MANY_ROWS, TOO_MANY_COLUMNS, COMPRESSION.

    """
    with opened(path, name, limits) as workbook:
        reader = SheetReader(workbook, _sheet(workbook, source, name).part)
        with closing(reader.rows()) as lines:
            header = _header(next(lines, (0, [])), name)
            limits.check_columns(len(header), name)
            with TextWriter(scratch, frame_names(header, source.ignored, name)) as writer:
                for batch, malformed in _batches(lines, len(header)):
                    columns = [list(column) for column in zip(*batch, strict=True)]
                    writer.write(columns, malformed)
                    limits.check_rows(writer.records, name)
                    limits.check_unpacked(writer.size, path.stat().st_size, name)
        if any(first == 1 for first, _ in reader.merged):
            raise InputProblem(
                "HEADER", f"{name}, header", "cells of it are merged", "Unmerge them and name each column"
            )
        rows = writer.rows().with_columns(pl.col(STRUCTURE) | _merged(reader.merged, writer.records))
        return TextTable(header, rows, writer.records)


def _sheet(workbook: Workbook, source: FileSource, name: str) -> Sheet:
    """The declared sheet, or the only one. Names of sheets are not told: they may be those of patients."""
    if source.sheet is not None:
        found = next((sheet for sheet in workbook.sheets if sheet.name == source.sheet), None)
        if found is None:
            raise InputProblem(
                "SHEET",
                name,
                f"none of its {len(workbook.sheets)} sheets is called {source.sheet!r}",
                "Rename the sheet, or declare sheet in the profile as it is called",
            )
        return found
    if len(workbook.sheets) != 1:
        hidden = sum(not sheet.visible for sheet in workbook.sheets)
        said = f", {hidden} of them hidden" if hidden else ""
        raise InputProblem(
            "SHEET",
            name,
            f"the workbook has {len(workbook.sheets)} sheets{said}",
            "Declare sheet in the profile: the name of the one to read; better, send no other",
        )
    return workbook.sheets[0]


def _header(first: tuple[int, list[str]], name: str) -> tuple[str, ...]:
    number, cells = first
    header = tuple(cell.strip() for cell in cells)
    if number != 1 or not header:
        raise InputProblem(
            "HEADER", f"{name}, header", "the first row of the sheet is blank", "Put the names of the columns there"
        )
    if any(_UNFIT.search(cell) for cell in header):
        raise InputProblem(
            "HEADER", f"{name}, header", "a name is a formula without a result, or no name", "Type the names"
        )
    return header


def _batches(lines: Iterable[tuple[int, list[str]]], width: int) -> Iterator[tuple[list[list[str]], list[bool]]]:
    """Rows of equal width with whether each is malformed; blank rows at the end are left out."""
    longest = max(USUAL_LINE_BYTES, USUAL_FIELD_BYTES * width)
    size = max(_BATCH_CELLS // width, _BATCH_ROWS)
    batch: list[list[str]] = []
    malformed: list[bool] = []
    characters = 0  # one text of the workbook may stand in any number of cells
    last = 1
    for number, cells in lines:
        if not cells:
            continue
        for _ in range(last + 1, number):
            batch.append([""] * width)
            malformed.append(False)
            if len(batch) >= size:
                yield batch, malformed
                batch, malformed = [], []
        last = number
        text = "".join(cells)
        unfit = bool(_UNFIT.search(text))
        kept = [_UNFIT.sub("", cell) for cell in cells[:width]] if unfit else cells[:width]
        batch.append(kept + [""] * (width - len(cells)))
        malformed.append(unfit or len(cells) > width or len(text) > longest)
        characters += len(text)
        if len(batch) >= size or characters > _BATCH_CHARACTERS:
            yield batch, malformed
            batch, malformed, characters = [], [], 0
    if batch:
        yield batch, malformed


def _merged(ranges: list[tuple[int, int]], records: int) -> pl.Expr:
    """Rows that a merged cell runs through: what it means for each of them is anybody's guess."""
    if not ranges:
        return pl.lit(value=False)
    # +1 where a range begins, -1 behind its end: where the sum is above 0, some range runs
    change = [0] * (records + 2)
    for first, last in ranges:
        if first - 1 <= records:
            change[max(first - 1, 1)] += 1
            change[min(last, records + 1)] -= 1
    depth = 0
    numbers = []
    for number, step in enumerate(change[: records + 1]):
        depth += step
        if depth and number:
            numbers.append(number)
    return pl.col(ROW_NUMBER).is_in(pl.Series(numbers, dtype=pl.Int64).implode())
