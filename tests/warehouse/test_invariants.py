"""Whatever the order of rows, files and deliveries and the number of threads: the same tables, and no row lost."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.contract import CONTRACT
from assets.contract.model import ColumnType
from assets.warehouse.build import build_warehouse
from assets.warehouse.connection import connect
from assets.warehouse.lake import FRAMES, SOURCE_ROW_COLUMNS, WITHDRAWAL_COLUMNS, create_lake
from assets.warehouse.models import load_models
from assets.warehouse.reference import write_reference

if TYPE_CHECKING:
    from collections.abc import Iterable

MODELS = load_models()
TYPES = {
    ColumnType.KEY: pl.String,
    ColumnType.CODE: pl.String,
    ColumnType.INTEGER: pl.Int32,
    ColumnType.DAY: pl.Int32,
    ColumnType.SCORE: pl.Decimal(9, 3),
}
DELIVERIES = ("d1", "d2", "d3")
STAMPS = {"d1": "2026-02-01", "d2": "2026-01-01", "d3": "2026-02-01"}

Rows = dict[str, list[dict[str, object]]]


def clinic(seed: int) -> Rows:
    """Rows of a small clinic over three deliveries: corrections, repeats, orphans and late visits among them."""
    pick = random.Random(seed)  # noqa: S311 - test data
    rows: Rows = {table.name: [] for table in CONTRACT.tables}
    for number in range(6):
        patient = {"patient_key": f"p{number % 5}", "sex": pick.choice(["F", "M"])}
        condition = pick.choice(["neck_pain", "sciatica"])
        episode = {
            "episode_key": f"e{number}",
            "patient_key": pick.choice([f"p{number % 5}", f"p{number % 5}", "p9"]),
            "clinic_key": f"c{number % 2}",
            "condition_id": condition,
            "side": "left",
            "start_year": 2024,
            "discharge_day": pick.choice([None, 20, 28, 28]),
            "discharge_reason": "goals_met",
            "arm": pick.choice([None, None, "control"]),
        }
        add(rows, "patient", patient, pick)
        add(rows, "episode", episode, pick)
        for step in range(5):
            visit = f"v{number}.{step}"
            add(
                rows,
                "visit",
                {
                    "visit_key": visit,
                    "episode_key": f"e{number}",
                    **({"day_offset": 7 * step} if number % 2 else {"calendar_day": 20000 + 7 * step}),
                    "visit_type": "discharge" if step == 4 else "treat",
                    "attendance": pick.choice(["attended", "attended", "no_show"]),
                },
                pick,
            )
            kind = pick.choice(["dry_needling", "massage", "sham"])
            add(rows, "treatment", {"visit_key": visit, "treatment_class": kind, "minutes": 20}, pick)
            for measure, side in (
                ("nprs_avg24h", "none"),
                ("nprs_worst24h", "none"),
                ("slr", "left"),
                ("slr", "right"),
                ("cerv_rot_left", "none"),
            ):
                value = pick.randint(0, 8) if measure.startswith("nprs") else pick.randint(30, 80)
                score = {"visit_key": visit, "measure_id": measure, "side": side, "value": value, "unit": "deg"}
                add(rows, "measurement", score | {"method": pick.choice([None, "app"])}, pick)
    return rows


def withdrawals(rows: Rows, seed: int) -> list[dict[str, object]]:
    """Some of what was sent is taken back by some delivery."""
    pick = random.Random(seed)  # noqa: S311 - test data
    found: list[dict[str, object]] = []
    for table in CONTRACT.tables:
        for row in pick.sample(rows[table.name], len(rows[table.name]) // 20):
            keys = [*(str(row.get(name) or "") for name in table.key), "", "", "", ""]
            line = [pick.choice(DELIVERIES), "back.csv", len(found) + 1, table.name, *keys[:5], True]
            found.append(dict(zip(WITHDRAWAL_COLUMNS, line, strict=True)))
    return found


def add(rows: Rows, table: str, row: dict[str, object], pick: random.Random) -> None:
    """Deliver a row once, sometimes again, sometimes changed, sometimes unreadable."""
    for _ in range(pick.choice([1, 1, 1, 1, 2, 3])):
        delivery = pick.choice(DELIVERIES)
        changed = row | ({"value": 3} if "value" in row and pick.random() < 0.3 else {})
        known = len(rows[table]) + 1
        rows[table].append(
            changed
            | {"delivery_id": delivery, "file": f"{table}.csv", "row_number": known, "accepted": pick.random() > 0.05}
        )


def frame(table: str, rows: Iterable[dict[str, object]]) -> pl.DataFrame:
    schema: dict[str, pl.DataType | type[pl.DataType]] = {}
    for column in CONTRACT.table(table).columns:
        schema[column.name] = TYPES[column.type]
        if column.is_number:
            schema[f"{column.name}__text"] = pl.String
    schema |= {"delivery_id": pl.String, "file": pl.String, "row_number": pl.Int64, "accepted": pl.Boolean}
    return pl.DataFrame(list(rows), schema=schema | {"violations": pl.Int64})


def build(
    rows: Rows, taken_back: list[dict[str, object]], order: random.Random | None, threads: int
) -> dict[str, list[tuple[object, ...]]]:
    """All tables of the warehouse, rows sorted; ``order`` shuffles rows, files and deliveries."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        files: dict[str, list[Path]] = {}
        names = list(DELIVERIES)
        if order:
            order.shuffle(names)
        for place, delivery in enumerate(names):
            for table, all_rows in rows.items():
                sent = [row for row in all_rows if row["delivery_id"] == delivery]
                if order:
                    order.shuffle(sent)
                if sent:
                    path = home / f"{place}.{table}.parquet"
                    frame(table, sent).write_parquet(path)
                    files.setdefault(table, []).append(path)
        sent_rows = [*taken_back, *(row for all_rows in rows.values() for row in all_rows)]
        back = pl.DataFrame(taken_back, schema_overrides={"row_number": pl.Int64})
        back.write_parquet(home / "withdrawal.parquet")
        back.select(*SOURCE_ROW_COLUMNS).write_parquet(home / "source_row.parquet")
        deliveries = pl.DataFrame(
            [
                {
                    "delivery_id": name,
                    "label": name,
                    "extract_stamp": STAMPS[name],
                    "profile": "clinic",
                    "privacy_mode": "limited_data_set",
                    "state": "accepted",
                    "problem_code": None,
                    "file_count": 1,
                    "ingested": sum(row["delivery_id"] == name for row in sent_rows),
                    "out_of_scope": 0,
                    "set_aside_on_reading": sum(
                        row["delivery_id"] == name and not row["accepted"] for row in sent_rows
                    ),
                    "rejected": 0,
                }
                for name in names
            ]
        )
        violations = pl.DataFrame(schema=dict.fromkeys(FRAMES["violation"], pl.String))
        with connect(home / "w.duckdb", home=home, threads=threads) as con:
            write_reference(con, CONTRACT)
            create_lake(
                con,
                CONTRACT,
                files,
                source_rows=[home / "source_row.parquet"],
                withdrawals=[home / "withdrawal.parquet"],
                deliveries=deliveries,
                violations=violations,
            )
            build_warehouse(con, MODELS)
            return {
                model.relation: sorted(con.execute(f"select * from {model.relation}").fetchall(), key=repr)
                for model in MODELS
            }


@settings(max_examples=6, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6), shuffle=st.integers(0, 10**6))
def test_order_and_threads_change_nothing_and_no_row_is_lost(seed: int, shuffle: int) -> None:
    rows = clinic(seed)
    back = withdrawals(rows, seed)
    tables = build(rows, back, None, threads=1)
    assert build(rows, back, random.Random(shuffle), threads=2) == tables  # noqa: S311 - test data
    for *_, ingested, _out_of_scope, accepted, quarantined, superseded, rejected in tables["audit.conservation"]:
        assert ingested == accepted + quarantined + superseded + rejected
    for model in MODELS:
        grain = [list(model.column_lineage).index(column) for column in model.grain]
        keys = [tuple(row[index] for index in grain) for row in tables[model.relation]]
        assert len(set(keys)) == len(keys), model.relation
