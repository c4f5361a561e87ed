"""Make the statistics of a home again, with this code: ``python -m assets.audit.rebuild HOME OUT MEMORY [THREADS]``.

Run from an archive of ``HOME/code`` it makes them with the code of that release. What the call takes and leaves must
therefore stay as it is: a home with ``lake`` and ``audit``, and a folder for one Parquet file per table.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from assets.audit.drift import write_drift
from assets.contract import CONTRACT
from assets.deliveries.state import settled_deliveries
from assets.home import Home
from assets.publication.publish import write_check_tables, write_statistics
from assets.publication.release import start_building
from assets.quality.catalogue import gate_checks, write_catalogue
from assets.quality.history import append, release_results, result_frame, write_history
from assets.quality.loading import load_lake
from assets.quality.sql_checks import run_sql_checks
from assets.quality.statistic_checks import statistic_checks
from assets.warehouse.build import build_warehouse
from assets.warehouse.connection import connect
from assets.warehouse.models import load_models
from assets.warehouse.reference import column_comments

if TYPE_CHECKING:
    from collections.abc import Sequence

RUN = "rebuild"
"""Stands for the id of the run in results of checks, which is published nowhere."""


def rebuild(home: Home, out: Path) -> None:
    """Write the exact statistics of what ``home`` holds into ``out``, as a release of it would have them."""
    building = start_building(home)
    with connect(
        building / "warehouse.duckdb", home=home.path, memory_limit=home.memory_limit, threads=home.threads
    ) as connection:
        contract = load_lake(connection, home)
        build_warehouse(connection, load_models(), lambda schema, name: column_comments(CONTRACT, schema, name))
        write_history(connection, home, settled_deliveries(home.ledger))
        write_catalogue(connection, contract)
        write_drift(connection, contract)
        results = release_results(connection, contract) + run_sql_checks(connection, contract, gate_checks(contract))
        append(connection, result_frame(results, contract, None, RUN))
        frames = write_statistics(connection, home)
        results = run_sql_checks(connection, contract, statistic_checks(contract))
        append(connection, result_frame(results, contract, None, RUN))
        frames |= write_check_tables(connection, home)
    for name, frame in frames.items():
        frame.write_parquet(out / f"{name}.parquet")


def main(arguments: Sequence[str]) -> None:
    """Rebuild as the arguments say."""
    place, out, memory, *threads = arguments
    rebuild(Home(Path(place), memory, int(threads[0]) if threads else None), Path(out))


if __name__ == "__main__":
    main(sys.argv[1:])
