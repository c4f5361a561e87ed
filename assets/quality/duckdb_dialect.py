"""SQLAlchemy on a DuckDB connection that is already open.

Great Expectations closes its SQLAlchemy connection before it reads the result, which ends the transaction; DuckDB drops
an unread result at the end of a transaction, so every expectation would see no rows. Here each result is read at once,
and begin, commit and rollback do nothing: validation only reads, the pipeline owns the transaction.

The connection is handed over by name (``shared``) and never opened here: a second connection would not see temporary
tables and a second opening of the same file fails. No text of a DuckDB error passes: it can hold values of patients.

This module is the DB-API module and the dialect in one; importing it registers ``duckdb://`` with SQLAlchemy.
"""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

import duckdb
import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.engine import default
from sqlalchemy.sql import compiler

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from sqlalchemy.engine import URL
    from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedPrimaryKeyConstraint

apilevel = "2.0"
threadsafety = 0
# with ? Great Expectations pastes Python's repr() of values into SQL; with $1 it lets SQLAlchemy write literals
paramstyle = "numeric_dollar"

_open: dict[str, duckdb.DuckDBPyConnection] = {}
_names = count(1)


class Error(Exception):
    """A statement failed. Carries the class of DuckDB's error, never its text."""


class DatabaseError(Error):
    """DB-API name SQLAlchemy looks for."""


class OperationalError(DatabaseError):
    """DB-API name Great Expectations looks for."""


@contextmanager
def shared(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Lend an open connection; yields the URL under which ``create_engine`` finds it until the block ends."""
    name = f"connection_{next(_names)}"
    _open[name] = connection
    try:
        yield f"duckdb:///{name}"
    finally:
        del _open[name]


def connect(name: str) -> Connection:
    """DB-API ``connect``: the connection lent under ``name``; OperationalError if none is."""
    if name not in _open:
        message = "no DuckDB connection is shared under this name"
        raise OperationalError(message)
    return Connection(_open[name])


class Connection:
    """DB-API connection whose transactions and life belong to someone else."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Wrap ``connection``."""
        self._connection = connection

    def cursor(self) -> Cursor:
        """Return a cursor on the same connection, so that temporary tables are visible."""
        return Cursor(self._connection)

    def commit(self) -> None:
        """Do nothing: the pipeline owns the transaction."""

    def rollback(self) -> None:
        """Do nothing: the pipeline owns the transaction."""

    def close(self) -> None:
        """Do nothing: the connection is only lent."""


class Cursor:
    """DB-API cursor that holds its whole result. Results here are one row of counts."""

    arraysize = 1
    rowcount = -1

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Read from ``connection``."""
        self._connection = connection
        self._rows: list[tuple[Any, ...]] = []
        self.description: list[Any] | None = None

    def execute(self, operation: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement and read its result to the end.

        Raises:
            OperationalError: DuckDB refused; names the class of its error only.

        """
        failure = None
        try:
            result = self._connection.execute(operation, list(parameters))
            self.description = list(result.description or [])
            self._rows = result.fetchall()
        except duckdb.Error as error:
            failure = type(error).__name__
        if failure:  # outside the handler, so that DuckDB's error is not chained
            raise OperationalError(failure)

    def fetchone(self) -> tuple[Any, ...] | None:
        """Next row, None after the last."""
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = arraysize) -> list[tuple[Any, ...]]:
        """Next ``size`` rows."""
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows that are left."""
        rows, self._rows = self._rows, []
        return rows

    def close(self) -> None:
        """Forget the result."""
        self._rows = []


@cache
def column_type(name: str) -> type[sa.types.TypeEngine[Any]]:
    """SQLAlchemy type class of a DuckDB type name such as ``DECIMAL(9,3)``; the same class for the same name."""
    base: type[sa.types.TypeEngine[Any]] = {"VARCHAR": sa.String, "BOOLEAN": sa.Boolean}.get(name, sa.types.NullType)
    return type(name, (base,), {"__module__": __name__})


class TypeNames:
    """What Great Expectations takes for the module of the dialect's types: ``getattr(names, "DECIMAL(9,3)")``."""

    __name__ = "duckdb"

    def __getattr__(self, name: str) -> type[sa.types.TypeEngine[Any]]:
        """Type class of a DuckDB type name; AttributeError for what is no type name."""
        if re.fullmatch(r"[A-Z][A-Z0-9_ (),\[\]]*", name):
            return column_type(name)
        raise AttributeError(name)


class _Preparer(compiler.IdentifierPreparer):
    def _requires_quotes(self, value: str) -> bool:  # noqa: ARG002 # DuckDB reserves words SQLAlchemy does not know
        return True


class DuckDBDialect(default.DefaultDialect):
    """As much of a dialect as reading aggregates takes."""

    name = "duckdb"
    driver = "shared"
    default_paramstyle = paramstyle
    preparer = _Preparer
    supports_statement_cache = True
    supports_native_boolean = True
    supports_native_decimal = True
    poolclass: ClassVar[type[sa.pool.Pool]] = sa.pool.StaticPool

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        """DB-API module: this one."""
        return sys.modules[__name__]

    def create_connect_args(self, url: URL) -> tuple[list[Any], dict[str, Any]]:
        """Arguments of ``connect``: the name under which the connection is shared."""
        return [url.database], {}

    def do_begin(self, dbapi_connection: object) -> None:
        """Do nothing, see the module."""

    def do_commit(self, dbapi_connection: object) -> None:
        """Do nothing, see the module."""

    def do_rollback(self, dbapi_connection: object) -> None:
        """Do nothing, see the module."""

    def get_columns(
        self, connection: sa.Connection, table_name: str, schema: str | None = None, **_: object
    ) -> list[ReflectedColumn]:
        """Names and types of a table's or view's columns, in order."""
        quote = self.identifier_preparer.quote
        relation = f"{quote(schema)}.{quote(table_name)}" if schema else quote(table_name)
        described = connection.exec_driver_sql(f"describe {relation}").fetchall()
        return [{"name": row[0], "type": column_type(row[1])(), "nullable": True, "default": None} for row in described]

    def get_pk_constraint(
        self,
        connection: sa.Connection,  # noqa: ARG002 # signature of SQLAlchemy
        table_name: str,  # noqa: ARG002 # as above
        schema: str | None = None,  # noqa: ARG002 # as above
        **_: object,
    ) -> ReflectedPrimaryKeyConstraint:
        """No primary key: nothing here needs one."""
        return {"constrained_columns": [], "name": None}


registry.register(DuckDBDialect.name, __name__, DuckDBDialect.__name__)
