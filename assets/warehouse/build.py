"""Run the models, one create statement each, exactly as their files say."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from assets.warehouse.connection import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from assets.warehouse.models import Model


@dataclass(frozen=True, slots=True)
class ModelRun:
    """What one model did.

    Rows of a view are counted too. ``columns`` are (name, DuckDB type).
    """

    relation: str
    rows: int
    seconds: float
    columns: tuple[tuple[str, str], ...]


def run_model(con: duckdb.DuckDBPyConnection, model: Model, comments: Mapping[str, str] | None = None) -> ModelRun:
    """Create the table or view of one model.

    Whether its grain is unique is for the gate of the release to check.

    Args:
        con: connection to the warehouse.
        model: the model.
        comments: column name -> meaning, written into the database for the columns the model has.

    Raises:
        WarehouseError: the SQL failed. DuckDB's own message is dropped: it quotes values.

    """
    started = time.perf_counter()
    try:
        con.execute(f"create schema if not exists {model.schema}")
        con.execute(f"create or replace {model.materialisation} {model.relation} as {model.sql}")
        rows = _count(con, model)
        columns = tuple((name, kind) for name, kind, *_ in con.execute(f"describe {model.relation}").fetchall())
        _comment(con, model, comments or {})
    except duckdb.Error as error:
        message = f"model {model.relation} failed with {type(error).__name__}; run {model.relation} by hand to see why"
        raise WarehouseError(message) from None
    return ModelRun(model.relation, rows, time.perf_counter() - started, columns)


def build_warehouse(
    con: duckdb.DuckDBPyConnection,
    models: Iterable[Model],
    comments: Callable[[str, str], Mapping[str, str]] | None = None,
) -> list[ModelRun]:
    """Run all models in the order given; ``comments`` maps schema and table name to the meanings of columns."""
    return [run_model(con, model, comments(model.schema, model.name) if comments else None) for model in models]


def _count(con: duckdb.DuckDBPyConnection, model: Model) -> int:
    found = con.execute(f"select count(*) from {model.relation}").fetchone()
    return int(found[0]) if found else 0


def _comment(con: duckdb.DuckDBPyConnection, model: Model, comments: Mapping[str, str]) -> None:
    kind = model.materialisation
    con.execute(f"comment on {kind} {model.relation} is {_literal(model.description)}")
    for column in model.column_lineage:
        if column in comments:
            con.execute(f"comment on column {model.relation}.{column} is {_literal(comments[column])}")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
