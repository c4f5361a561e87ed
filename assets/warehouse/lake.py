"""The ``lake`` schema: what the models read, still lying in the Parquet files of the deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from assets.warehouse.connection import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from assets.contract.model import Contract, Table

FILES_AT_MOST, SMALL_BYTES = 64, 200_000
"""More files than that, smaller than that on average, cost more to open than to read."""
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

WITHDRAWAL_COLUMNS = {
    "delivery_id": "VARCHAR",
    "file": "VARCHAR",
    "row_number": "BIGINT",
    "table_name": "VARCHAR",
    "key_1": "VARCHAR",
    "key_2": "VARCHAR",
    "key_3": "VARCHAR",
    "key_4": "VARCHAR",
    "key_5": "VARCHAR",
    "accepted": "BOOLEAN",
}

FRAMES = {
    "delivery": {
        "delivery_id": "VARCHAR",
        "label": "VARCHAR",
        "extract_stamp": "VARCHAR",
        "profile": "VARCHAR",
        "privacy_mode": "VARCHAR",
        "state": "VARCHAR",
        "problem_code": "VARCHAR",
        "file_count": "BIGINT",
        "ingested": "BIGINT",
        "out_of_scope": "BIGINT",
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
    "reading_history": {
        "delivery_id": "VARCHAR",
        "file": "VARCHAR",
        "row_number": "BIGINT",
        "table_name": "VARCHAR",
        "check_id": "VARCHAR",
    },
    "waiver": {
        "check_id": "VARCHAR",
        "delivery_id": "VARCHAR",
        "file": "VARCHAR",
        "row_number": "BIGINT",
        "ends_on": "VARCHAR",
        "lifts": "VARCHAR",
    },
    "rebase": dict.fromkeys(("series", "condition_id", "clinic_key", "from_period"), "VARCHAR"),
}
"""Columns of the frames handed over beside the files."""


def lake_columns(table: Table) -> dict[str, str]:
    """Columns of ``lake.<table>`` with their DuckDB types, in order."""
    columns: dict[str, str] = {}
    for column in table.columns:
        columns[column.name] = column.duckdb_type
        if column.is_number:
            columns[f"{column.name}__text"] = "VARCHAR"
    return columns | ROW_COLUMNS


def create_lake(
    con: duckdb.DuckDBPyConnection,
    contract: Contract,
    files: Mapping[str, Sequence[Path]],
    *,
    source_rows: Sequence[Path],
    withdrawals: Sequence[Path] = (),
    deliveries: pl.DataFrame,
    violations: pl.DataFrame,
    reading_history: pl.DataFrame | None = None,
    waivers: pl.DataFrame | None = None,
    rebases: pl.DataFrame | None = None,
) -> None:
    """Create the ``lake`` schema.

    Args:
        con: connection whose home holds the files.
        contract: which tables there are.
        files: canonical table -> its Parquet files, one for each usable delivery. A table without files becomes an
            empty table, so that every model runs.
        source_rows: Parquet files with the fate on reading of source rows that feed several canonical tables.
        withdrawals: Parquet files with the keys that were taken back.
        deliveries: one row per delivery, rejected ones too.
        violations: rows set aside on reading, one row per violated check.
        reading_history: rows that earlier readings of the same deliveries set aside. None: there were none.
        waivers: what need not be corrected, and until when. None: everything must be.
        rebases: from when the limits of which chart are set anew. None: nowhere.

    Raises:
        ValueError: a path holds a character that DuckDB would expand.
        WarehouseError: a file cannot be read or lacks a column.

    """
    con.execute("create schema if not exists lake")
    for table in contract.tables:
        _create_table(con, table.name, lake_columns(table), files.get(table.name, ()))
    _create_table(con, "source_row", SOURCE_ROW_COLUMNS, source_rows)
    _create_table(con, "withdrawal", WITHDRAWAL_COLUMNS, withdrawals)
    for name, frame in (
        ("delivery", deliveries),
        ("violation", violations),
        ("reading_history", reading_history),
        ("waiver", waivers),
        ("rebase", rebases),
    ):
        if frame is None:
            _create_table(con, name, FRAMES[name], ())
            continue
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
        # hundreds of small files are opened once, and not again by every model
        made = "table" if len(paths) > FILES_AT_MOST and _mean_bytes(paths) < SMALL_BYTES else "view"
        con.execute(f"create {made} lake.{name} as select {', '.join(columns)} from read_parquet([{listed}])")
    except (duckdb.Error, OSError) as error:
        message = f"lake.{name}: a Parquet file is missing, damaged or lacks a column ({type(error).__name__})"
        raise WarehouseError(message) from None


def _mean_bytes(paths: Sequence[Path]) -> float:
    return sum(path.stat().st_size for path in paths) / len(paths)


def _literal(path: Path) -> str:
    text = str(path)
    if GLOB_CHARACTERS & set(text):
        message = f"{path.name}: the lake cannot lie below a folder with one of * ? [ ] {{ }} in its path"
        raise ValueError(message)
    return "'" + text.replace("'", "''") + "'"
