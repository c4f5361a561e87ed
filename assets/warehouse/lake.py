"""The ``lake`` schema: what the models read, still lying in the Parquet files of the deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from assets.contract.model import ColumnType
from assets.warehouse.connection import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from assets.contract.model import Contract, Table

GLOB_CHARACTERS = frozenset("*?[]{}")

ROW_COLUMNS = {
    "delivery_id": "VARCHAR",
    "file": "VARCHAR",
    "row_number": "BIGINT",
    "accepted": "BOOLEAN",
    "violations": "BIGINT",
}
"""What every lake table carries besides the columns of the contract."""

SOURCE_ROW_COLUMNS = {
    "delivery_id": "VARCHAR",
    "file": "VARCHAR",
    "row_number": "BIGINT",
    "accepted": "BOOLEAN",
}

FRAMES = {
    "delivery": {
        "delivery_id": "VARCHAR",
        "label": "VARCHAR",
        "extract_stamp": "VARCHAR",
        "state": "VARCHAR",
        "file_count": "BIGINT",
        "ingested": "BIGINT",
        "set_aside_on_reading": "BIGINT",
        "rejected": "BIGINT",
    },
    "violation": {
        "delivery_id": "VARCHAR",
        "file": "VARCHAR",
        "table_name": "VARCHAR",
        "row_number": "BIGINT",
        "check_id": "VARCHAR",
    },
}
"""Columns of the frames handed over beside the files."""


def lake_columns(table: Table) -> dict[str, str]:
    """Columns of ``lake.<table>`` with their DuckDB types, in order."""
    columns: dict[str, str] = {}
    for column in table.columns:
        columns[column.name] = column.duckdb_type
        if column.type in (ColumnType.INTEGER, ColumnType.SCORE):
            columns[f"{column.name}__text"] = "VARCHAR"
    return columns | ROW_COLUMNS


def create_lake(
    con: duckdb.DuckDBPyConnection,
    contract: Contract,
    files: Mapping[str, Sequence[Path]],
    *,
    source_rows: Sequence[Path],
    deliveries: pl.DataFrame,
    violations: pl.DataFrame,
) -> None:
    """Create the ``lake`` schema.

    Args:
        con: connection whose home holds the files.
        contract: which tables there are.
        files: canonical table -> its Parquet files, one for each usable delivery. A table without files becomes an
            empty table, so that every model runs.
        source_rows: Parquet files with the fate on reading of source rows that feed several canonical tables.
        deliveries: one row per delivery, rejected ones too.
        violations: rows set aside on reading, one row per violated check.

    Raises:
        ValueError: a path holds a character that DuckDB would expand.
        WarehouseError: a file cannot be read or lacks a column.

    """
    con.execute("create schema if not exists lake")
    for table in contract.tables:
        _create_table(con, table.name, lake_columns(table), files.get(table.name, ()))
    _create_table(con, "source_row", SOURCE_ROW_COLUMNS, source_rows)
    for name, frame in (("delivery", deliveries), ("violation", violations)):
        columns = ", ".join(f"cast({column} as {kind}) as {column}" for column, kind in FRAMES[name].items())
        con.register("lake_frame", frame)
        try:
            con.execute(f"create or replace table lake.{name} as select {columns} from lake_frame")
        except duckdb.Error as error:
            message = f"lake.{name}: the frame does not have the agreed columns ({type(error).__name__})"
            raise WarehouseError(message) from None
        finally:
            con.unregister("lake_frame")


def _create_table(con: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str], paths: Sequence[Path]) -> None:
    kind = con.execute(
        "select table_type from information_schema.tables where table_schema = 'lake' and table_name = ?", [name]
    ).fetchone()
    if kind is not None:
        con.execute(f"drop {'view' if kind[0] == 'VIEW' else 'table'} lake.{name}")
    if not paths:
        con.execute(f"create table lake.{name} ({', '.join(f'{column} {kind}' for column, kind in columns.items())})")
        return
    listed = ", ".join(_literal(path) for path in sorted(paths))
    try:
        con.execute(f"create view lake.{name} as select {', '.join(columns)} from read_parquet([{listed}])")
    except duckdb.Error as error:
        message = f"lake.{name}: a Parquet file is missing, damaged or lacks a column ({type(error).__name__})"
        raise WarehouseError(message) from None


def _literal(path: Path) -> str:
    text = str(path)
    if GLOB_CHARACTERS & set(text):
        message = f"{path.name}: the lake cannot lie below a folder with one of * ? [ ] {{ }} in its path"
        raise ValueError(message)
    return "'" + text.replace("'", "''") + "'"
