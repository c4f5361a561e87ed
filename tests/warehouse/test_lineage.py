"""Column lineage: followed by hand through models of the warehouse, and compared with sqlglot's own."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage as sqlglot_lineage

from assets.contract import CONTRACT
from assets.warehouse.lake import FRAMES, SOURCE_ROW_COLUMNS, WITHDRAWAL_COLUMNS, lake_columns
from assets.warehouse.lineage import LineageError, column_lineage
from assets.warehouse.models import load_models
from assets.warehouse.reference import LAYOUT

MODELS = {model.relation: model for model in load_models()}
COMPARED = ("staging.measurement", "staging.treatment_repeat", "intermediate.episode_pain", "marts.measure_change")
"""A union below CTEs, a named window and stars, windows, a case over a union. All 729 columns take a minute."""


def of(query: str) -> dict[str, tuple[tuple[str, str], ...]]:
    parsed = sqlglot.parse_one(query, dialect="duckdb")
    assert isinstance(parsed, exp.Query)
    return column_lineage(parsed)


def followed(relation: str, column: str) -> set[tuple[str, str]]:
    return set(MODELS[relation].column_lineage[column])


def test_through_a_union_of_ctes() -> None:
    assert followed("staging.measurement", "value") == {("lake.measurement", "value")}
    assert followed("marts.measure_change", "planned_day") == {
        ("intermediate.planned_score", "planned_day"),
        ("reference.planned_window", "planned_day"),
    }


def test_through_a_case_over_a_union() -> None:
    course, planned = "intermediate.measure_course", "intermediate.planned_score"
    assert followed("marts.measure_change", "change") == {
        *((course, f"{end}_{what}") for end in ("baseline", "last") for what in ("day", "value")),
        *((course, f"window_{number}_value") for number in (1, 2, 3)),
        *((planned, name) for name in ("baseline_value", "score_value")),
        ("reference.measure", "better"),
        ("reference.planned_window", "window_no"),
    }


def test_through_a_star_and_distinct_rows() -> None:
    # judged.is_contradicted, through placed.*, is whether there is a contradiction: a distinct row of placed
    assert followed("staging.treatment_repeat", "fate") == {("lake.treatment", "delivery_id")}
    assert followed("staging.treatment_repeat", "check_id") == set()


def test_through_windows() -> None:
    inline = of(
        "with t as (select a, b, c from lake.t) select row_number() over (partition by a order by b) as n from t"
    )
    named = of(
        "with t as (select a, b, c from lake.t) "
        "select row_number() over w as n, lag(c) over w as before from t window w as (partition by a order by b)"
    )
    assert inline["n"] == named["n"] == (("lake.t", "a"), ("lake.t", "b"))
    assert named["before"] == (("lake.t", "a"), ("lake.t", "b"), ("lake.t", "c"))


def test_what_chooses_rows_is_no_origin() -> None:
    query = (
        "with t as (select a, b from lake.t where b > 0) select max(a) as a from t where b < 9 group by b having b > 1"
    )
    assert of(query) == {"a": (("lake.t", "a"),)}


@pytest.mark.parametrize("star", ["* exclude (b)", "* replace (1 as b)", "t.* exclude (b)", "* rename (b as c)"])
def test_half_a_star_is_refused(star: str) -> None:
    with pytest.raises(LineageError, match="name the columns"):
        of(f"with t as (select a, b from lake.t) select {star} from t")


def schema() -> dict[str, dict[str, dict[str, str]]]:
    """Every relation with its columns, as sqlglot wants to know them."""
    columns = {f"lake.{table.name}": list(lake_columns(table)) for table in CONTRACT.tables}
    columns |= {f"lake.{name}": list(found) for name, found in FRAMES.items()}
    columns |= {"lake.source_row": list(SOURCE_ROW_COLUMNS), "lake.withdrawal": list(WITHDRAWAL_COLUMNS)}
    columns |= {
        f"reference.{name}": [part.split()[0] for part in layout.replace("(10,", "(").split(",") if " " in part.strip()]
        for name, layout in LAYOUT.items()
    }
    columns |= {relation: list(model.column_lineage) for relation, model in MODELS.items()}
    found: dict[str, dict[str, dict[str, str]]] = {}
    for relation, names in columns.items():
        place, name = relation.split(".")
        found.setdefault(place, {})[name] = dict.fromkeys(names, "varchar")
    return found


@pytest.mark.parametrize("relation", COMPARED)
def test_sqlglot_finds_the_same(relation: str) -> None:
    model, known = MODELS[relation], schema()
    for column, origins in model.column_lineage.items():
        ends = sqlglot_lineage(column, model.sql, schema=known, dialect="duckdb").walk()
        found = {
            (f"{end.expression.db}.{end.expression.name}", end.name.rpartition(".")[2].strip('"'))
            for end in ends
            if isinstance(end.expression, exp.Table) and not end.downstream
        }
        assert set(origins) == found, column
