"""Delivery folders on disk, written block by block so that memory does not grow with the network."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

import polars as pl
import pyarrow.parquet as pq

from assets.simulation.faults import Row, Shape
from assets.simulation.rendering import column_type, delivered_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Any, Self

    from assets.contract.model import Contract, Table

FileFormat = Literal["csv", "parquet"]


class DeliveryFolder:
    """The files of one delivery, one per table, open for appending. Use as a context manager."""

    def __init__(self, path: Path, contract: Contract, file_format: FileFormat, *, dated: bool = False) -> None:
        """Create the folder and its files with their headers."""
        self.rows: Counter[str] = Counter()
        self._contract = contract
        self._typed = file_format == "parquet"
        self._dated = dated
        path.mkdir(parents=True)
        self._files: dict[str, Any] = {}
        for table in contract.tables:
            file = path / f"{table.name}.{file_format}"
            if self._typed:
                schema = pl.DataFrame(schema=self._schema(table)).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
                self._files[table.name] = pq.ParquetWriter(file, schema, compression="zstd")
            else:
                self._files[table.name] = file.open("wb")
                self._files[table.name].write((",".join(self._columns(table)) + "\n").encode())

    def append(self, table: str, frame: pl.DataFrame) -> None:
        """Append rows with the delivered columns of ``table`` in order."""
        self.rows[table] += frame.height
        if frame.is_empty():
            return
        if self._typed:
            self._files[table].write_table(frame.to_arrow(compat_level=pl.CompatLevel.oldest()))
        else:
            frame.write_csv(self._files[table], include_header=False)

    def append_lines(self, table: str, lines: Sequence[tuple[Row, Shape | None]]) -> None:
        """Append single rows of text; a shape with too many or too few fields distorts its line (CSV only).

        They have no dates: their days count from a first visit that a calendar does not know.
        """
        layout = self._contract.table(table)
        columns = self._columns(layout)
        if self._typed:
            rows = [row for row, _ in lines]
            text = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String()))
            self.append(table, text.cast(self._schema(layout)))  # type: ignore[arg-type]
            return
        self.rows[table] += len(lines)
        for row, shape in lines:
            fields = [row.get(name) or "" for name in columns]
            if shape is Shape.TOO_MANY_FIELDS:
                fields.append("surplus")
            elif shape is Shape.TOO_FEW_FIELDS:
                fields.pop()
            self._files[table].write((",".join(fields) + "\n").encode())

    def _columns(self, table: Table) -> tuple[str, ...]:
        return delivered_columns(table, dated=self._dated)

    def _schema(self, table: Table) -> dict[str, pl.DataType]:
        return {column.name: column_type(column, typed=True) for column in map(table.column, self._columns(table))}

    def __enter__(self) -> Self:
        """Return the folder, open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all files."""
        for file in self._files.values():
            file.close()
