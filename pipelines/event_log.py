"""Dagster's event log in one SQLite file, with connections that are kept.

Dagster's own class opens the file, and makes a new engine, for every event, and waits for the disk each time: with 250
checks per delivery that cost more than reading, checking and modelling the delivery. Here a connection stays open, and
in WAL mode the disk is waited for at checkpoints only: a power cut may lose the last events of the log, never its
integrity, and never data, because no data are in it.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage

if TYPE_CHECKING:
    from collections.abc import Iterator

BUSY_SECONDS = 30


class KeptSqliteEventLogStorage(ConsolidatedSqliteEventLogStorage):
    """``ConsolidatedSqliteEventLogStorage`` with a pool of connections."""

    @cached_property
    def _engine(self) -> sa.Engine:
        engine = sa.create_engine(self._conn_string, connect_args={"timeout": BUSY_SECONDS})

        @sa.event.listens_for(engine, "connect")
        def _settings(connection: Any, _: object) -> None:  # noqa: ANN401 the driver's own type
            connection.execute("pragma synchronous = normal")

        return engine

    @cached_property
    def _tables(self) -> frozenset[str]:
        return frozenset(sa.inspect(self._engine).get_table_names())

    def has_table(self, table_name: str) -> bool:
        """Whether a table exists; asked for every event, and tables are only made when the file is."""
        return table_name in self._tables

    @contextmanager
    def _connect(self) -> Iterator[sa.Connection]:
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the connections."""
        super().dispose()  # type: ignore[no-untyped-call]
        self._engine.dispose()
