"""From the marts of the release being built to its published tables and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.contract import CONTRACT
from assets.deliveries.state import extended_contract, settled_deliveries
from assets.outcomes.published import published_frames
from assets.privacy.disclosure import MINIMUM_GROUP
from assets.publication.release import SITE, code_version, next_release
from assets.quality.results import Status
from dashboards.site import SiteMeta, build_site

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from assets.home import Home

TABLES = "tables"
QUARANTINE = (
    "select table_name, check_id, reason, count(*) as rows, "
    "count(*) filter (where status in ('open', 'expired')) as to_correct "
    "from audit.quarantine where status <> 're_ingested' group by table_name, check_id, reason order by all"
)
"""Quarantine as counts: the published table never names a row. Rows taken in since are set aside no longer."""

# the newest result of each check on each delivery; release checks have one run, that of this warehouse
CHECK_RESULTS = (
    "select check_id, delivery_id, table_name, kind, stage, severity, threshold as tolerance, status, evaluated, "
    "violated from audit.check_result"
)


COUNTED = {"audit.quarantine": QUARANTINE, "audit.check_result": CHECK_RESULTS}
"""Relations that the statistics see in a narrower form than the warehouse holds."""


def write_published(connection: duckdb.DuckDBPyConnection, home: Home) -> dict[str, pl.DataFrame]:
    """Compute the published tables, and keep them as Parquet and in the warehouse."""
    contract = extended_contract(CONTRACT, home.ledger, settled_deliveries(home.ledger))
    frames = published_frames(
        lambda relation: connection.sql(COUNTED.get(relation, f"select * from {relation}")).pl(), contract
    )
    folder = home.building / TABLES
    folder.mkdir(mode=0o700)
    connection.execute("create schema if not exists published")
    for name, frame in frames.items():
        frame.write_parquet(folder / f"{name}.parquet")
        connection.register("published_frame", frame)
        connection.execute(f"create or replace table published.{name} as select * from published_frame")
        connection.unregister("published_frame")
    return frames


def write_site(home: Home) -> list[Path]:
    """Write the pages from the published tables, and from nothing else."""
    folder = home.building / TABLES
    frames = {path.stem: pl.read_parquet(path) for path in sorted(folder.glob("*.parquet"))}
    deliveries = settled_deliveries(home.ledger)
    checks = frames["check_summary"].filter(pl.col("status") != Status.NOT_APPLICABLE.value)["status"].to_list()
    meta = SiteMeta(
        title="Clinic outcomes",
        stamp=max((delivery.extract_stamp for delivery in deliveries), default=""),
        code_version=code_version(),
        contract_version=CONTRACT.version,
        checks_total=len(checks),
        checks_passed=sum(status in (Status.PASS.value, Status.PASS_WITH_VIOLATIONS.value) for status in checks),
        warnings=sum(status == Status.WARN.value for status in checks),
        is_simulated=any(delivery.label.startswith("simulated") for delivery in deliveries),
        minimum_group=MINIMUM_GROUP,
        release=next_release(home),
    )
    return build_site(frames, extended_contract(CONTRACT, home.ledger, deliveries), meta, home.building / SITE)
