"""Cells of a sheet as rows of exact text, from a stream."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from openpyxl.utils.datetime import from_excel
from openpyxl.utils.escape import unescape

from assets.deliveries.formats.workbook import LONGEST_CELL, MARK, Handlers, fed, local

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from assets.deliveries.formats.workbook import Workbook

ROWS = 1 << 20
COLUMNS = 1 << 14
"""As many as a sheet can have."""
_CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_WHOLE = 1e16
"""Below it Python writes a whole number with all its digits."""


class SheetReader:
    """Reads one sheet. ``merged`` is complete only after the last row, because the file says so at its end."""

    def __init__(self, workbook: Workbook, part: str) -> None:
        """``part`` names the sheet's file in the archive."""
        self._workbook = workbook
        self._part = part
        self._done: list[tuple[int, list[str]]] = []
        self._row: list[str] = []
        self._number = 0
        self._column = 0
        self._kind = "n"
        self._style = 0
        self._formula = False
        self._pieces: list[str] = []
        self._length = 0
        self._reading = False
        self._spoken = 0
        # by name as in the file, with namespace; added to as names are met
        self._starts: dict[str, Callable[[dict[str, str]], None] | None] = {
            "c": self._start_cell,
            "row": self._start_row,
            "v": self._start_text,
            "t": self._start_inline,
            "f": self._start_formula,
            "rPh": self._start_spoken,
            "mergeCell": self._start_merge,
        }
        self._ends: dict[str, Callable[[], None] | None] = {
            "c": self._end_cell,
            "row": self._end_row,
            "v": self._end_text,
            "t": self._end_text,
            "rPh": self._end_spoken,
        }
        self.merged: list[tuple[int, int]] = []

    def rows(self) -> Generator[tuple[int, list[str]]]:
        """Number (from 1) and cells of every row that the file mentions; later ones have higher numbers."""
        for _ in fed(self._workbook.archive, self._part, Handlers(self._start, self._end, self._text)):
            yield from self._done
            self._done.clear()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag not in self._starts:
            self._starts[tag] = self._starts.get(local(tag))
        handler = self._starts[tag]
        if handler:
            handler(attributes)

    def _end(self, tag: str) -> None:
        if tag not in self._ends:
            self._ends[tag] = self._ends.get(local(tag))
        handler = self._ends[tag]
        if handler:
            handler()

    def _text(self, data: str) -> None:
        if self._reading:
            self._length += len(data)
            if self._length <= LONGEST_CELL:
                self._pieces.append(data)

    def _start_row(self, attributes: dict[str, str]) -> None:
        number = int(attributes.get("r", self._number + 1))
        if not self._number < number <= ROWS:
            message = "rows out of order"
            raise ValueError(message)
        self._number = number
        self._row = []
        self._column = 0

    def _end_row(self) -> None:
        self._done.append((self._number, self._row))

    def _start_cell(self, attributes: dict[str, str]) -> None:
        place = attributes.get("r")
        column = _place(place)[0] if place else self._column + 1
        if not self._column < column <= COLUMNS:
            message = "cells out of order"
            raise ValueError(message)
        self._column = column
        self._kind = attributes.get("t", "n")
        self._style = int(attributes.get("s", "0"))
        self._formula = False
        self._pieces = []
        self._length = 0

    def _start_text(self, _: dict[str, str]) -> None:
        self._reading = True

    def _start_inline(self, _: dict[str, str]) -> None:
        self._reading = not self._spoken

    def _start_formula(self, _: dict[str, str]) -> None:
        self._formula = True

    def _start_spoken(self, _: dict[str, str]) -> None:
        self._spoken += 1

    def _end_spoken(self) -> None:
        self._spoken -= 1

    def _end_text(self) -> None:
        self._reading = False

    def _end_cell(self) -> None:
        text = self._value("".join(self._pieces)) if self._length <= LONGEST_CELL else MARK
        if not text and self._formula and self._kind != "str":
            text = MARK
        if text:
            self._row.extend("" for _ in range(len(self._row), self._column - 1))
            self._row.append(text)

    def _value(self, raw: str) -> str:
        if self._kind == "s":
            return self._workbook.texts[int(raw)] if raw else ""
        if self._kind in ("str", "inlineStr"):
            return unescape(raw) if "_x" in raw else raw
        if self._kind == "b":
            return {"1": "true", "0": "false"}.get(raw, raw)
        if self._kind == "n" and raw:
            return self._date(raw) if self._style in self._workbook.dates else number_text(float(raw))
        return raw.removesuffix("T00:00:00")  # a date in ISO 8601, or an error such as #N/A

    def _date(self, raw: str) -> str:
        try:
            text = str(from_excel(float(raw), self._workbook.epoch).isoformat())
        except (ValueError, OverflowError):  # before or after all dates
            return number_text(float(raw))
        return text.removesuffix("T00:00:00")

    def _start_merge(self, attributes: dict[str, str]) -> None:
        first, _, last = attributes["ref"].partition(":")
        rows = sorted((_place(first)[1], _place(last or first)[1]))
        self.merged.append((rows[0], rows[1]))


def _place(reference: str) -> tuple[int, int]:
    """Column and row of a cell such as B7."""
    found = _CELL.fullmatch(reference)
    if not found:
        message = "a cell that is nowhere"
        raise ValueError(message)
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column, int(found[2])


def number_text(number: float) -> str:
    """The shortest digits that mean this number, without exponent; whole numbers without point."""
    if number.is_integer() and abs(number) < _WHOLE:
        return str(int(number))
    text = repr(number)
    return format(Decimal(text), "f") if "e" in text else text
