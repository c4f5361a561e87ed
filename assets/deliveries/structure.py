"""The shape of a CSV file, found in one pass over its bytes before any parser sees it.

Parsers fill short rows with nulls, cut long ones and load control characters without a word. This pass says which
records they would have damaged, and counts the records independently of the parser.
"""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from pathlib import Path

CHUNK_BYTES = 1 << 20
HEADER_BYTES = 1 << 16
MAXIMUM_LINE_BYTES = 4096
"""No row of keys, codes and numbers is longer; a longer one is text that does not belong here."""

_DELIMITER, _NEWLINE, _QUOTE, _CONTROL = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Structure:
    """``records`` counted without the header; ``malformed`` are record numbers (from 1) that cannot be trusted."""

    header: tuple[str, ...]
    records: int
    malformed: tuple[int, ...]


def read_structure(path: Path, name: str, delimiter: str) -> Structure:
    """Check encoding and count fields per record.

    Args:
        path: the landed copy.
        name: what the clinic called the file, for messages.
        delimiter: as the profile declares it.

    Raises:
        InputProblem: EMPTY, ENCODING, HEADER.

    """
    if path.stat().st_size == 0:
        raise InputProblem("EMPTY", name, "the file is empty", "Send it again")
    header = _header(path, name, delimiter)
    counter = _Counter(name, delimiter, len(header))
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            counter.add(chunk)
    counter.finish()
    if counter.quotes:
        records, malformed = _quoted(path, header, delimiter)
        return Structure(header, records, tuple(sorted({*malformed, *counter.suspicious_lines()})))
    return Structure(header, counter.lines - 1, tuple(line - 1 for line in counter.malformed if line > 1))


class _Counter:
    """Fields per line, without quotes: with them lines are not records and DuckDB's parser is asked instead."""

    def __init__(self, name: str, delimiter: str, columns: int) -> None:
        self.name = name
        self.columns = columns
        self.lines = 0
        self.quotes = 0
        self.malformed: list[int] = []
        self._controls: list[int] = []
        self._rest = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._classes = np.zeros(256, np.uint8)
        self._classes[:32] = _CONTROL
        self._classes[[9, 13]] = 0
        self._classes[ord(delimiter)] = _DELIMITER
        self._classes[10] = _NEWLINE
        self._classes[ord('"')] = _QUOTE

    def add(self, chunk: bytes) -> None:
        try:
            self._decoder.decode(chunk)
        except UnicodeDecodeError:
            line = self.lines + self._rest.count(b"\n") + 1
            raise InputProblem(
                "ENCODING",
                f"{self.name}, at or after line {line}",
                "the file is not UTF-8",
                "Export it as UTF-8: other encodings are refused, not guessed",
            ) from None
        block = self._rest + chunk
        cut = block.rfind(b"\n") + 1
        self._rest = block[cut:]
        if cut:
            self._lines(block[:cut])

    def finish(self) -> None:
        try:
            self._decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise InputProblem(
                "ENCODING", f"{self.name}, last line", "the file ends inside a character", "Send the file again"
            ) from None
        if self._rest:
            self._lines(self._rest + b"\n")

    def _lines(self, block: bytes) -> None:
        classes = self._classes[np.frombuffer(block, np.uint8)]
        ends = np.flatnonzero(classes == _NEWLINE)
        starts = np.concatenate(([0], ends[:-1] + 1))
        self.quotes += int(np.count_nonzero(classes == _QUOTE))
        lengths = ends - starts
        controls = classes == _CONTROL
        odd = lengths > MAXIMUM_LINE_BYTES
        if controls.any():
            odd |= np.add.reduceat(controls.astype(np.int32), starts) > 0
        self._controls.extend((self.lines + 1 + np.flatnonzero(odd)).tolist())
        fields = np.add.reduceat((classes == _DELIMITER).astype(np.int32), starts) + 1
        wrong = (fields != self.columns) | odd
        self.malformed.extend((self.lines + 1 + np.flatnonzero(wrong)).tolist())
        self.lines += len(ends)

    def suspicious_lines(self) -> list[int]:
        """Record numbers of lines with control characters or too many bytes; exact while no record spans lines."""
        return [line - 1 for line in self._controls if line > 1]


def _header(path: Path, name: str, delimiter: str) -> tuple[str, ...]:
    with path.open("rb") as file:
        start = file.read(HEADER_BYTES)
    try:
        text = start.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 4:
            raise InputProblem(
                "ENCODING",
                name,
                "the file is not UTF-8",
                "Export it as UTF-8: other encodings are refused, not guessed",
            ) from None
        text = start[: error.start].decode("utf-8-sig")
    if "\0" in text.partition("\n")[0]:
        raise InputProblem("ENCODING", name, "the header holds NUL bytes", "Export it as UTF-8")
    rows = csv.reader(text.splitlines(), delimiter=delimiter)
    header = next(rows, [])
    return tuple(column.strip() for column in header)


def _quoted(path: Path, header: tuple[str, ...], delimiter: str) -> tuple[int, tuple[int, ...]]:
    """Records and malformed record numbers of a file with quotes, as DuckDB's strict parser sees them.

    Its ``line`` counts records, the header being 1.
    """
    columns = {f"c{position}": "VARCHAR" for position in range(len(header))}
    with duckdb.connect() as connection:
        counted = connection.execute(
            "select count(*) from read_csv(?, columns = ?, delim = ?, quote = '\"', escape = '\"', header = true, "
            "auto_detect = false, store_rejects = true, rejects_limit = 0, max_line_size = 100000000)",
            [str(path), columns, delimiter],
        ).fetchall()
        rejected = connection.execute("select distinct line from reject_errors order by line").fetchall()
    malformed = tuple(int(line) - 1 for (line,) in rejected)
    return int(counted[0][0]) + len(malformed), malformed
