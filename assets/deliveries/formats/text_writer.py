"""Rows of text on their way to a table, through a private file, so that a file larger than memory passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assets.deliveries.formats.scratch import new_file
from assets.deliveries.formats.table import ROW_NUMBER, STRUCTURE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType


class TextWriter:
    """Writes rows to Parquet in batches, numbered from 1."""

    def __init__(self, scratch: Path, names: Sequence[str]) -> None:
        """``names`` are those of the columns, each once."""
        self.path = new_file(scratch, ".parquet")
        self.records = 0
        self.size = 0
        """Bytes of the text, as CSV would have them: one for the end of each cell, also of an empty one."""
        self._schema = pa.schema(
            [*((name, pa.large_string()) for name in names), (ROW_NUMBER, pa.int64()), (STRUCTURE, pa.bool_())]
        )
        self._file = pq.ParquetWriter(self.path, self._schema, compression="zstd")

    def __enter__(self) -> Self:
        """Nothing to do: the file is open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the file."""
        self._file.close()

    def write(self, columns: Sequence[Sequence[str | None] | pl.Series], malformed: Sequence[bool] | pl.Series) -> None:
        """Add a batch, given by column."""
        arrays = [
            column.to_arrow().cast(pa.large_string())
            if isinstance(column, pl.Series)
            else pa.array(column, pa.large_string())
            for column in columns
        ]
        self.size += sum(int(pc.sum(pc.binary_length(array)).as_py() or 0) + len(array) for array in arrays)
        first = self.records + 1
        self.records += len(malformed)
        numbers = pa.array(range(first, self.records + 1), pa.int64())
        flags = malformed.to_arrow() if isinstance(malformed, pl.Series) else pa.array(malformed, pa.bool_())
        self._file.write_table(pa.Table.from_arrays([*arrays, numbers, flags], schema=self._schema))

    def rows(self) -> pl.LazyFrame:
        """What was written."""
        return pl.scan_parquet(self.path, glob=False)
