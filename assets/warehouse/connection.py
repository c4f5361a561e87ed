"""The one way to open a DuckDB file of ours.

DuckDB can read any file, fetch extensions and run Python variables as tables. None of that is needed here, so a
connection can reach the home folder and nothing else, and nothing that runs on it can change that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

SPILL_FOLDER = "spill"
MEMORY_DATABASE = ":memory:"


class WarehouseError(Exception):
    """A warehouse step failed. The message names the step and never a value of the data."""


def connect(
    path: Path | None,
    *,
    home: Path,
    read_only: bool = False,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB database, locked down.

    Args:
        path: the database file; None opens a database in memory.
        home: the only folder SQL may read or write, below it also the spill folder.
        read_only: open without the right to write.
        memory_limit: as DuckDB writes it (``4GB``); None leaves DuckDB's default.
        threads: number of threads; None leaves DuckDB's default. Results do not depend on it.

    Raises:
        WarehouseError: the file cannot be opened: in use by another process, damaged or of another version.

    """
    database = MEMORY_DATABASE if path is None else str(path)
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
        "temp_directory": str(home / SPILL_FOLDER),
        "preserve_insertion_order": False,  # every order that matters is written in the SQL
    }
    if memory_limit is not None:
        config["memory_limit"] = memory_limit
    if threads is not None:
        config["threads"] = threads
    try:
        con = duckdb.connect(database, read_only=read_only, config=config)
    except duckdb.Error as error:
        message = f"{database} cannot be opened as a DuckDB database ({type(error).__name__}): is another run using it?"
        raise WarehouseError(message) from None
    if not _is_locked(con):  # a second connection of this process shares the instance, locks included
        folder = str(home).replace("'", "''")
        con.execute("set global TimeZone = 'UTC'")
        con.execute("set enable_progress_bar = false")
        con.execute(f"set global allowed_directories = ['{folder}']")
        con.execute("set global enable_external_access = false")
        con.execute("set global lock_configuration = true")
    return con


def _is_locked(con: duckdb.DuckDBPyConnection) -> bool:
    return con.sql("select current_setting('lock_configuration')").fetchall() == [(True,)]
