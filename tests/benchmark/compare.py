"""Compare outcome numbers: ``compare.py FIRST SECOND`` prints JSON with what differs between two results, cell by cell.

A result is the home of the main job or the output folder of the rival. Counts are compared as they are, sums as whole
thousandths (sums of squares as whole millionths), so that equal means equal.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import duckdb
import polars as pl

TABLES = (
    *("recovery_cube", "pain_cube", "rom_cube", "event_count", "visit_density"),
    *("measure_summary", "response_summary"),
)
KEYS = (
    *("condition_id", "clinic_key", "care", "period", "definition_id"),
    *("from_day", "event_day", "event_kind", "measure_id", "side", "planned_day", "rule_id"),
)
DEFAULT_DEFINITION = "recovered_v1"
LAST = -1
DECIMALS, SQUARE_DECIMALS = 3, 6


def main() -> None:
    """Read both results and compare every table."""
    first, second = (result(Path(argument)) for argument in sys.argv[1:3])
    report = {name: differences(first[name], second[name]) for name in TABLES}
    equal = all(found["different"] == 0 for found in report.values())
    answer = {"equal": equal, "tables": report, "outcome": headline(first), "fingerprint": fingerprint(first)}
    sys.stdout.write(json.dumps(answer, default=str) + "\n")


def result(folder: Path) -> dict[str, pl.DataFrame]:
    """Tables of counts and whole sums of a result."""
    database = folder / "warehouse.duckdb"
    if not database.exists():
        return {name: _whole(pl.read_parquet(folder / f"{name}.parquet")) for name in TABLES}
    with duckdb.connect(str(database), read_only=True) as connection:
        return {name: _whole(connection.sql(f"select * from marts.{name}").pl()) for name in TABLES}


def differences(first: pl.DataFrame, second: pl.DataFrame) -> dict[str, object]:
    """Number of cells (groups) of a table, how many differ, and the first of those."""
    keys = [name for name in KEYS if name in first.columns]
    values = sorted(name for name in first.columns if name not in keys)
    missing = sorted(set(first.columns) ^ set(second.columns) - {"definition_id"})
    if any(name in values for name in missing):
        return {"cells": len(first), "different": len(first), "example": f"columns {missing}"}
    keys = [name for name in keys if name in second.columns]
    joined = first.join(second, on=keys, how="full", nulls_equal=True, coalesce=True, suffix=" of second")
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name} of second")) for name in values)
    different = joined.filter(~same)
    example = different.sort(keys, nulls_last=False).head(3).to_dicts()
    return {"cells": len(joined), "different": len(different), "example": example}


def headline(tables: dict[str, pl.DataFrame]) -> dict[str, int]:
    """Totals that everybody reads."""
    everyone = pl.col("condition_id").is_null() & pl.col("clinic_key").is_null() & (pl.col("care") == "any")
    everyone &= pl.col("period") == "all"
    recovery = tables["recovery_cube"].filter(everyone & (pl.col("definition_id") == DEFAULT_DEFINITION)).to_dicts()[0]
    pain = tables["pain_cube"].filter(everyone).to_dicts()[0]
    names = ("episodes", "eligible", "known", "recovered")
    return {name: recovery[name] for name in names} | {
        "pairs": pain["pairs"],
        "change_sum": pain["change_sum"],
        "mcid_responders": pain["mcid_responders"],
    }


def fingerprint(tables: dict[str, pl.DataFrame]) -> str:
    """SHA-256 of all tables, in order."""
    digest = hashlib.sha256()
    for name in TABLES:
        table = tables[name].select(sorted(tables[name].columns))
        keys = [key for key in KEYS if key in table.columns]
        digest.update(table.sort(keys, nulls_last=False).write_csv().encode())
    return digest.hexdigest()


def _whole(table: pl.DataFrame) -> pl.DataFrame:
    """Counts and sums as 64-bit integers, in the same units whoever wrote them; the last score has planned_day -1."""
    changes = []
    for name, kind in table.schema.items():
        column = pl.col(name)
        if name == "planned_day":
            changes.append(column.cast(pl.Int64).fill_null(LAST))
        elif isinstance(kind, pl.Decimal):
            finer = kind.scale - (SQUARE_DECIMALS if name.endswith("_squares") else DECIMALS)
            changes.append(column.to_physical().floordiv(10**finer).cast(pl.Int64))
        elif name not in KEYS or name in ("from_day", "event_day"):
            changes.append(column.cast(pl.Int64))
        else:
            changes.append(column.cast(pl.String))
    return table.with_columns(changes)


if __name__ == "__main__":
    main()
