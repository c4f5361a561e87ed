"""Find the models below ``sql/``, and work out from their text what they read.

A file ``sql/<schema>/<name>.sql`` makes ``<schema>.<name>``. Its header says in words what it is, and which columns
identify a row (``-- grain: a, b``). What it reads is never declared: it is parsed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Literal

import sqlglot
from sqlglot import exp

from assets.warehouse.lineage import Lineage, LineageError, column_lineage

Materialisation = Literal["table", "view"]

Relation = tuple[str, str]
"""Schema and name."""

SQL_FOLDER = Path(__file__).resolve().parents[2] / "sql"

SOURCE_SCHEMAS = frozenset({"lake", "reference"})
"""Schemas that the loader fills before the models run."""

GRAIN = "-- grain:"
MATERIALISED = "-- materialised:"

GROUPING_SETS = ("cube", "rollup", "grouping_sets")


class ModelError(Exception):
    """A model file does not follow the rules of ``sql/``. The message says which file and what to do."""


@dataclass(frozen=True, slots=True)
class Model:
    """One SQL model.

    ``sql`` is the whole text of the file, ``depends_on`` the relations it reads (schema and name, sorted),
    ``column_lineage`` its output columns in order, each with the columns of other relations it is made from.
    ``grain_is_grouped``: the final ``group by`` already makes the grain unique.
    """

    schema: str
    name: str
    sql: str
    description: str
    grain: tuple[str, ...]
    depends_on: tuple[Relation, ...]
    materialisation: Materialisation
    column_lineage: Lineage
    grain_is_grouped: bool

    @property
    def relation(self) -> str:
        """The model's name in the database."""
        return f"{self.schema}.{self.name}"

    @property
    def code_version(self) -> str:
        """Changes when the text of the file does."""
        return hashlib.sha256(self.sql.encode()).hexdigest()[:12]


@cache
def load_models(root: Path = SQL_FOLDER) -> tuple[Model, ...]:
    """Read all models below ``root`` in an order in which each comes after what it reads; ties by name.

    They are parsed once in a process, which takes a second.

    Raises:
        ModelError: a file without header or grain, SQL that cannot be parsed, a table nobody makes, a cycle.

    """
    models = {(model.schema, model.name): model for model in map(read_model, sorted(root.glob("*/*.sql")))}
    for model in models.values():
        for schema, name in model.depends_on:
            if (schema, name) not in models and schema not in SOURCE_SCHEMAS:
                message = f"{model.relation} reads {schema}.{name}, which no file makes: is the name right?"
                raise ModelError(message)
    sorter = TopologicalSorter(
        {key: [other for other in model.depends_on if other in models] for key, model in models.items()}
    )
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " -> ".join(".".join(key) for key in error.args[1])
        message = f"models depend on each other in a circle: {circle}"
        raise ModelError(message) from None
    ordered: list[Model] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered += [models[key] for key in ready]
        sorter.done(*ready)
    return tuple(ordered)


def read_model(path: Path) -> Model:
    """Read one model file; ModelError if it breaks a rule."""
    text = path.read_text(encoding="utf-8")
    place = f"{path.parent.name}/{path.name}"
    header = [line for line in text.splitlines() if line.startswith("--")]
    description = " ".join(
        line.removeprefix("--").strip() for line in header if not line.startswith((GRAIN, MATERIALISED))
    )
    grain = _directive(header, GRAIN)
    if not text.startswith("--") or not description:
        message = f"{place}: the file must start with comment lines that say what the model is"
        raise ModelError(message)
    if not grain:
        message = f"{place}: the header lacks the line '{GRAIN} column, column' (what identifies a row)"
        raise ModelError(message)
    materialised = _directive(header, MATERIALISED) or "table"
    if materialised not in ("table", "view"):
        message = f"{place}: '{MATERIALISED} {materialised}' is neither table nor view"
        raise ModelError(message)
    query = _parse(place, text)
    try:
        lineage = column_lineage(query)
    except LineageError as error:
        message = f"{place}: {error}"
        raise ModelError(message) from None
    grain_columns = tuple(part.strip() for part in grain.split(","))
    missing = [column for column in grain_columns if column not in lineage]
    if missing:
        message = f"{place}: grain column {missing[0]} is not a column of the model"
        raise ModelError(message)
    return Model(
        schema=path.parent.name,
        name=path.stem,
        sql=text,
        description=description,
        grain=grain_columns,
        depends_on=_dependencies(place, query),
        materialisation="view" if materialised == "view" else "table",
        column_lineage=lineage,
        grain_is_grouped=_is_grouped_by(query, grain_columns),
    )


def _directive(header: list[str], name: str) -> str:
    return next((line.removeprefix(name).strip() for line in header if line.startswith(name)), "")


def _parse(place: str, text: str) -> exp.Query:
    try:
        statements = sqlglot.parse(text, dialect="duckdb")
    except sqlglot.errors.SqlglotError as error:
        first = str(error).splitlines()[0]
        message = f"{place}: not valid SQL: {first}"
        raise ModelError(message) from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        message = f"{place}: the file must hold exactly one select statement"
        raise ModelError(message)
    return statements[0]


def _dependencies(place: str, query: exp.Query) -> tuple[Relation, ...]:
    local = {cte.alias for cte in query.find_all(exp.CTE)}
    found: set[Relation] = set()
    for table in query.find_all(exp.Table):
        if table.db:
            found.add((table.db, table.name))
        elif table.name not in local:
            message = f"{place}: table {table.name} needs its schema in front"
            raise ModelError(message)
    return tuple(sorted(found))


def _is_grouped_by(query: exp.Expr, grain: tuple[str, ...]) -> bool:
    """Whether a ``group by`` over exactly the grain makes it unique: in the query, or in the one CTE it reads."""
    if not isinstance(query, exp.Select):
        return False
    projected = {projection.alias_or_name: projection.unalias() for projection in query.selects}
    keys = [projected.get(column) for column in grain]
    group = query.args.get("group")
    if group is not None:
        plain = not any(group.args.get(kind) for kind in GROUPING_SETS)
        return plain and {key.sql() for key in keys if key} == {key.sql() for key in group.expressions}
    clause = query.args.get("from_")
    if query.args.get("joins"):
        return False
    source = next((cte.this for cte in query.ctes if clause and cte.alias == clause.this.name), None)
    names = tuple(key.name for key in keys if isinstance(key, exp.Column))
    return source is not None and len(names) == len(grain) and _is_grouped_by(source, names)
