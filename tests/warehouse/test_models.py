from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assets.warehouse.models import SQL_FOLDER, Model, ModelError, load_models, read_model

Writer = Callable[[str, str], Path]

HEADER = "-- What it is.\n-- grain: a\n"


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    def write_model(relation: str, text: str) -> Path:
        schema, name = relation.split(".")
        (tmp_path / schema).mkdir(exist_ok=True)
        path = tmp_path / schema / f"{name}.sql"
        path.write_text(text)
        return path

    return write_model


def test_order_follows_the_queries_and_ties_follow_the_name(write: Writer, tmp_path: Path) -> None:
    write(
        "marts.a",
        HEADER + "with b as (select a from staging.z), c as (select a from staging.y)"
        " select b.a from b inner join c on b.a = c.a",
    )
    write("staging.z", HEADER + "select a from lake.visit")
    write("staging.y", HEADER + "select a from reference.measure")
    models = load_models(tmp_path)
    assert [model.relation for model in models] == ["staging.y", "staging.z", "marts.a"]
    assert models[2].depends_on == (("staging", "y"), ("staging", "z"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("select 1 as a", "must start with comment lines"),
        ("-- What it is.\nselect 1 as a", "lacks the line '-- grain:"),
        ("-- grain: a\nselect 1 as a", "say what the model is"),
        ("-- What.\n-- grain: b\nselect 1 as a", "grain column b is not a column"),
        (HEADER + "-- materialised: cube\nselect 1 as a", "neither table nor view"),
        (HEADER + "select a from visit", "table visit needs its schema"),
        (HEADER + "select a from", "not valid SQL"),
        (HEADER + "select 1 as a; select 2 as a", "exactly one select"),
        (HEADER + "drop table a.b", "exactly one select"),
        (HEADER + "select * from lake.visit", "name the columns"),
        (HEADER + "with b as (select a from lake.visit) select c as a from b", "column c"),
        (HEADER + "with b as (select a from lake.visit) select b.c as a from b", "column b.c does not exist"),
        (HEADER + "select a from (select 1 as a) as b", "make it a CTE"),
        (HEADER + "with b as (select 1 as a, 2 as c union all select 1 as a) select a from b", "numbers of columns"),
        (HEADER + "select a, b + 1 from lake.visit", "column without a name"),
    ],
)
def test_rules_of_a_file(write: Writer, text: str, said: str) -> None:
    with pytest.raises(ModelError, match=said) as error:
        read_model(write("marts.m", text))
    assert "marts/m.sql" in str(error.value)


def test_unknown_table(write: Writer, tmp_path: Path) -> None:
    write("marts.m", HEADER + "select a from staging.vist")
    with pytest.raises(ModelError, match=r"marts\.m reads staging\.vist, which no file makes"):
        load_models(tmp_path)


def test_circle(write: Writer, tmp_path: Path) -> None:
    write("marts.a", HEADER + "select a from marts.b")
    write("marts.b", HEADER + "select a from marts.a")
    with pytest.raises(ModelError, match="in a circle"):
        load_models(tmp_path)


def test_column_lineage(write: Writer) -> None:
    model = read_model(
        write(
            "marts.m",
            HEADER
            + """
            with visit as (select v.k as a, v.day from lake.visit as v),
            score as (select k, x, y from lake.measurement),
            ranked as (select *, row_number() over (partition by a order by day) as n from visit),
            both as (select a, n from ranked union all select k, x + y from score)
            select both.a, max(both.n) as top, count(*) as rows, 'fixed' as word
            from both left join score on both.a = score.k
            group by both.a
            """,
        )
    )
    assert model.column_lineage == {
        "a": (("lake.measurement", "k"), ("lake.visit", "k")),
        "top": (
            ("lake.measurement", "x"),
            ("lake.measurement", "y"),
            ("lake.visit", "day"),
            ("lake.visit", "k"),
        ),
        "rows": (),
        "word": (),
    }


@pytest.mark.parametrize(
    ("query", "grouped"),
    [
        ("select a, b from lake.t group by a, b", True),
        ("select t.a, u.b from lake.t inner join lake.u on t.k = u.k group by t.a, u.b", True),
        ("with g as (select x, b from lake.t group by x, b) select x as a, b from g where b > 0", True),
        ("with g as (select a, b, c from lake.t group by a, b, c) select a, b from g", False),
        ("with g as (select a, b from lake.t group by a, b) select g.a, g.b from g cross join lake.u", False),
        ("select a, b from lake.t group by cube (a, b)", False),
        ("select a, b from lake.t group by grouping sets ((a, b), (a))", False),
        ("select a, b from lake.t group by a, cube (b)", False),
        ("select a + 1 as a, b from lake.t group by a, b", False),
        ("select a, b from lake.t", False),
        ("select a, b from lake.t group by a, b union all select a, b from lake.t group by a, b", False),
    ],
)
def test_a_grain_that_the_grouping_guarantees(write: Writer, query: str, *, grouped: bool) -> None:
    model = read_model(write("marts.m", "-- What it is.\n-- grain: a, b\n" + query))
    assert model.grain_is_grouped is grouped


def test_code_version_follows_the_text(write: Writer) -> None:
    first = read_model(write("marts.m", HEADER + "select 1 as a")).code_version
    assert read_model(write("marts.m", HEADER + "select 2 as a")).code_version != first


MODELS = load_models()


@pytest.mark.parametrize("model", MODELS, ids=[model.relation for model in MODELS])
def test_house_rules(model: Model) -> None:
    """Portable subset of SQL: no function whose result differs between engines or between runs."""
    text = "\n".join(line for line in model.sql.splitlines() if not line.startswith("--"))
    assert text == text.lower() or "'UNREADABLE'" in text
    for word in ("percentile_cont", "quantile", "median", "date_diff", "dayofweek", "avg(", "double", "float", " real"):
        assert word not in text
    assert "select *" not in text.replace("select *\n", "").replace("select * from ", "")
    assert model.description


def test_every_file_is_a_model() -> None:
    assert len(MODELS) == len(list(SQL_FOLDER.glob("**/*.sql")))
