"""The files of a simulated network: what is in them, and that they are always the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.model import ColumnType
from assets.simulation.network import simulate_network
from tests.simulation.feeds import write
from tests.simulation.row_oracle import between_rows, row_violations

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulation.feeds import Written


def test_same_seed_same_bytes(tmp_path: Path, dirty: Written) -> None:
    again = write(tmp_path / "feed", 120)
    first = {path.relative_to(dirty.summary.out): path for path in dirty.summary.out.rglob("*") if path.is_file()}
    second = {path.relative_to(again.summary.out): path for path in again.summary.out.rglob("*") if path.is_file()}
    assert first.keys() == second.keys()
    assert len(first) == 4 * 7 + 1
    assert all(first[name].read_bytes() == second[name].read_bytes() for name in first)


def test_another_seed_other_people(tmp_path: Path, clean: Written) -> None:
    other = write(tmp_path / "feed", 120, seed=1, clean=True)
    assert other.summary.rows != clean.summary.rows


def test_every_clean_row_passes_every_check_and_no_warning(clean: Written) -> None:
    for delivery in clean.summary.deliveries:
        tables = {table.name: clean.rows(delivery, table.name) for table in CONTRACT.tables}
        for table, rows in tables.items():
            assert len(rows) == len(clean.lines(delivery, table))
            for row in rows:
                assert row_violations(CONTRACT, table, row) == ([], [])
        critical, warnings, superseded = between_rows(CONTRACT, tables)
        assert not +critical + +warnings + +superseded


def test_header_is_the_contract(dirty: Written) -> None:
    for delivery in dirty.summary.deliveries:
        assert {path.stem for path in delivery.iterdir()} == {table.name for table in CONTRACT.tables}
        for table in CONTRACT.tables:
            header = (delivery / f"{table.name}.csv").read_text(encoding="utf-8").splitlines()[0]
            assert header == ",".join(table.layout)


def test_clinics_conditions_and_no_trial_treatments(tmp_path: Path) -> None:
    written = write(tmp_path / "feed", 6000, clean=True)
    clinics, conditions, populations = set(), set(), set()
    for delivery in written.summary.deliveries:
        episodes = pl.read_csv(delivery / "episode.csv", infer_schema=False)
        clinics |= set(episodes["clinic_key"])
        conditions |= set(episodes["condition_id"])
        assert episodes["arm"].null_count() == episodes.height
        assert episodes["clinic_key"].n_unique() == 3
        treatments = pl.read_csv(delivery / "treatment.csv", infer_schema=False)
        assert not set(treatments["treatment_class"]) & {"sham", "acupuncture"}
        populations |= set(pl.read_csv(delivery / "patient.csv", infer_schema=False)["population"])
        open_ones = episodes.filter(pl.col("discharge_reason") == "still_open")
        assert open_ones.height > 0
        assert open_ones["discharge_day"].null_count() == open_ones.height
    assert len(clinics) == 12
    assert conditions == {condition.condition_id for condition in CONTRACT.conditions}
    assert {"athlete", "occupational_sedentary"} <= populations


@pytest.mark.parametrize("patients", [1, 50])
def test_any_number_of_patients(tmp_path: Path, patients: int) -> None:
    written = write(tmp_path / "feed", patients, clean=True)
    assert written.summary.rows["patient"] == patients
    assert written.truth["rows"] == written.summary.rows
    dirty = write(tmp_path / "dirty", patients)
    assert all(dirty.summary.rows[table] > written.summary.rows.get(table, 0) for table in dirty.summary.rows)


def test_parquet_holds_what_csv_holds(tmp_path: Path, clean: Written) -> None:
    parquet = write(tmp_path / "feed", 120, clean=True, file_format="parquet")
    for text, typed in zip(clean.summary.deliveries, parquet.summary.deliveries, strict=True):
        for table in CONTRACT.tables:
            sent = [table.column(name) for name in table.layout]
            schema = {c.name: pl.Float64 if c.type is ColumnType.SCORE else pl.String for c in sent}
            numbers = [c.name for c in sent if c.type is ColumnType.INTEGER]
            expected = pl.read_csv(text / f"{table.name}.csv", schema=schema).cast(dict.fromkeys(numbers, pl.Int32))
            found = pl.read_parquet(typed / f"{table.name}.parquet").cast(
                {name: kind for name, kind in schema.items() if kind == pl.Float64}
            )
            assert found.equals(expected)


def test_dirty_parquet_has_the_rows_the_truth_states(tmp_path: Path) -> None:
    written = write(tmp_path / "feed", 50, file_format="parquet")
    for delivery in written.summary.deliveries:
        for name, rows in written.truth["deliveries"][delivery.name]["tables"].items():
            assert pl.scan_parquet(delivery / f"{name}.parquet").select(pl.len()).collect().item() == rows["ingested"]
    assert not any(name.endswith(".readable") for name in written.truth["dirty"]["faults"])


def test_one_records_system(tmp_path: Path) -> None:
    written = write(tmp_path / "feed", 50, sources=1)
    assert [path.name for path in written.summary.deliveries] == ["simulated-network_20260701T020000Z"]


@pytest.mark.parametrize("how", [{"patients": 0}, {"sources": 0}, {"sources": 5}, {"seed": -1}])
def test_numbers_out_of_range(tmp_path: Path, how: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"must|expected"):
        simulate_network(tmp_path / "feed", contract=CONTRACT, **{"patients": 1, **how})
    assert not (tmp_path / "feed").exists()


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError):
        simulate_network(tmp_path, contract=CONTRACT, patients=1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_truth_lies_beside_the_deliveries(dirty: Written) -> None:
    assert dirty.summary.truth.parent == dirty.summary.out
    json.loads(dirty.summary.truth.read_text(encoding="utf-8"), parse_constant=pytest.fail)
