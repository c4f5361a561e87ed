"""Tables drawn in the test, one model run on them.

An empty warehouse is built once: it gives every relation its columns and types. A test replaces some relations by the
rows it draws, runs one model file exactly as it is, and looks at the rows that come out; then all is rolled back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.warehouse.build import build_warehouse, run_model
from assets.warehouse.connection import connect
from assets.warehouse.lake import FRAMES, create_lake
from assets.warehouse.models import load_models
from assets.warehouse.reference import write_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import duckdb

MODELS = {model.relation: model for model in load_models()}
LAKE_DEFAULTS = {"delivery_id": "d1", "file": "a.csv", "accepted": "true", "extract_stamp": "2026-01-01"}

Table = tuple[list[str], list[list[str | None]]]


def parse(text: str) -> Table:
    """Columns and rows of a table drawn with bars; a blank cell is null."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    cells = [[cell.strip() or None for cell in line.split("|")] for line in lines]
    header = [str(cell) for cell in cells[0]]
    assert all(len(row) == len(header) for row in cells), "a row has more or fewer cells than the header"
    return header, cells[1:]


class Sandbox:
    """An empty warehouse to draw tables in."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con

    def give(self, relation: str, text: str) -> None:
        """Replace a relation by the rows drawn."""
        header, rows = parse(text)
        types = dict(self._columns(relation))
        if relation.startswith("lake."):
            defaults = {name: value for name, value in LAKE_DEFAULTS.items() if name in types and name not in header}
            header = [*header, *defaults]
            rows = [[*row, *defaults.values()] for row in rows]
            if "row_number" in types and "row_number" not in header:
                header.append("row_number")
                rows = [[*row, str(number)] for number, row in enumerate(rows, start=1)]
        schema, name = relation.split(".")
        found = self.con.execute(
            "select table_type from information_schema.tables where table_schema = ? and table_name = ?", [schema, name]
        ).fetchall()
        self.con.execute(f"drop {'view' if found == [('VIEW',)] else 'table'} {relation}")
        self.con.execute(f"create table {relation} ({', '.join(f'{name} {kind}' for name, kind in types.items())})")
        marks = ", ".join(f"cast(? as {types[name]})" for name in header)
        for row in rows:
            self.con.execute(f"insert into {relation} ({', '.join(header)}) values ({marks})", row)

    def run(self, relation: str, given: Mapping[str, str] | None = None) -> None:
        """Replace the given relations and run one model, its grain check included."""
        for name, text in (given or {}).items():
            self.give(name, text)
        run_model(self.con, MODELS[relation])
        model = MODELS[relation]
        grain = ", ".join(model.grain)
        repeated = self.con.execute(f"select {grain} from {relation} group by {grain} having count(*) > 1").fetchall()
        assert repeated == []

    def expect(self, relation: str, text: str) -> None:
        """The relation has exactly these rows, as far as the drawn columns go; order does not matter."""
        header, rows = parse(text)
        types = dict(self._columns(relation))
        wanted = []
        for row in rows:
            casts = ", ".join(f"cast(? as {types[name]})" for name in header)
            wanted += self.con.execute(f"select {casts}", row).fetchall()
        got = self.con.execute(f"select {', '.join(header)} from {relation}").fetchall()
        assert sorted(got, key=str) == sorted(wanted, key=str)

    def _columns(self, relation: str) -> list[tuple[str, str]]:
        return [(row[0], row[1]) for row in self.con.execute(f"describe {relation}").fetchall()]


@pytest.fixture(scope="session")
def empty_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    con = connect(None, home=tmp_path_factory.mktemp("home"), threads=1)
    write_reference(con, CONTRACT)
    frames = {name: pl.DataFrame(schema=dict.fromkeys(columns, pl.String)) for name, columns in FRAMES.items()}
    create_lake(con, CONTRACT, {}, source_rows=(), deliveries=frames["delivery"], violations=frames["violation"])
    build_warehouse(con, MODELS.values())
    yield con
    con.close()


@pytest.fixture
def sql(empty_warehouse: duckdb.DuckDBPyConnection) -> Iterator[Sandbox]:
    empty_warehouse.execute("begin")
    yield Sandbox(empty_warehouse)
    empty_warehouse.execute("rollback")
