"""What every format becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from collections.abc import Collection

    import polars as pl

ROW_NUMBER = "row_number"
STRUCTURE = "structure"


@dataclass(frozen=True, slots=True)
class TextTable:
    """A file ready for the typing pass.

    ``rows`` has the columns of ``header``, ``row_number`` (Int64, from 1, in file order) and ``structure`` (true where
    the record is malformed). Every column is text but those in ``numeric``, which are numbers already. ``records`` is
    counted independently of the parser that makes ``rows``.
    """

    header: tuple[str, ...]
    rows: pl.LazyFrame
    records: int
    numeric: frozenset[str] = frozenset()


def frame_names(header: tuple[str, ...], ignored: Collection[str], name: str) -> tuple[str, ...]:
    """What the columns of a file are called in the frame.

    That is the header, or, where that cannot name columns and the file will be refused for it, positions. A column
    that has a name of ours gives way to it: that is for files which the profile does not read it from.

    Raises:
        InputProblem: HEADER, if such a column is read.

    """
    if len(set(header)) < len(header):
        return tuple(f"column {position}" for position, _ in enumerate(header, start=1))
    ours = {ROW_NUMBER, STRUCTURE} & set(header)
    for column in sorted(ours - set(ignored)):
        raise InputProblem(
            "HEADER",
            f"{name}, header",
            f"column {column!r} has a name that Needlepoint needs for itself",
            "Send it under another name, or list it under 'ignored' in the profile",
        )
    return tuple(f"ignored {column}" if column in ours else column for column in header)
