"""The floor: one typed DuckDB scan of the measurement file, all columns hashed, rejects kept. Prints JSON.

``python tests/benchmark/scan_floor.py measurement.csv``. No program that looks at every value can cost less; its CPU
seconds, start of the process included, are the unit in which the targets are written.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb

from assets.contract import CONTRACT

MEASUREMENT = CONTRACT.table("measurement")


def main() -> None:
    """Scan the file named on the command line."""
    path = Path(sys.argv[1])
    connection = duckdb.connect()
    hashed = f"select count(*), bit_xor(hash({', '.join(MEASUREMENT.layout)})) from {_source(path)}"
    rows, fingerprint = connection.execute(hashed, [str(path)]).fetchall()[0]
    rejects = 0
    if path.suffix == ".csv":
        rejects = connection.execute("select count(distinct line) from reject_errors").fetchall()[0][0]
    sys.stdout.write(json.dumps({"rows": rows, "rejects": rejects, "fingerprint": str(fingerprint)}) + "\n")


def _source(path: Path) -> str:
    if path.suffix == ".parquet":
        return "read_parquet(?)"
    types = ", ".join(f"'{column.name}': '{column.duckdb_type}'" for column in MEASUREMENT.columns)
    return f"read_csv(?, header = true, delim = ',', auto_detect = false, columns = {{{types}}}, store_rejects = true)"


if __name__ == "__main__":
    main()
