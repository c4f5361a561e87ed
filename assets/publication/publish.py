"""From the marts of the release being built to its published tables and pages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from assets.contract import CONTRACT
from assets.contract.checks import Stage
from assets.deliveries.state import extended_contract, settled_deliveries
from assets.outcomes.published import LAYOUTS, PUBLISHED_TABLES, TOPICS, exact_frames
from assets.outcomes.tables import quality
from assets.outcomes.universes import NESTED
from assets.privacy.disclosure.profiles import INTERNAL, PUBLIC
from assets.privacy.disclosure.protect import protect
from assets.publication.public_tables import PUBLIC_TABLES, RECOVERY, public_tables
from assets.publication.release import SITE, code_version, next_release, predecessor
from assets.publication.site_meta import check_pages, site_meta
from assets.publication.withhold import without_withheld
from dashboards.site import build_site

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import duckdb

    from assets.home import Home
    from assets.outcomes.topic import Topic
    from assets.privacy.disclosure.profiles import Profile
    from assets.privacy.disclosure.protect import Protected

TABLES = "tables"
STATISTICS, SUPPRESSION = "statistics", "suppression"
"""Schema of the exact tables, and the table of ``audit`` with what was hidden and why."""
QUARANTINE = (
    "select table_name, check_id, reason, count(*) as rows, "
    "count(*) filter (where status in ('open', 'expired')) as to_correct "
    "from audit.quarantine where status <> 're_ingested' group by table_name, check_id, reason order by all"
)
"""Quarantine as counts: the published table never names a row. Rows taken in since are set aside no longer."""

# what is checked on the files that these tables go into has no result when they are made
BEFORE_FILES = f"stage <> '{Stage.PUBLISHED.value}'"

# the newest result of each check on each delivery; release checks have one run, that of this warehouse
CHECK_RESULTS = (
    "select check_id, delivery_id, table_name, kind, stage, severity, threshold as tolerance, status, evaluated, "
    f"violated from audit.check_result where is_latest and {BEFORE_FILES}"
)
CHECK_CATALOGUE = f"select * from audit.check_catalogue where {BEFORE_FILES}"

WAIVERS = (
    "select check_id, ends_on as until, count(*) as rows from audit.quarantine_waiver where is_in_force "
    "group by check_id, ends_on order by all"
)

COUNTED = {
    "audit.quarantine": QUARANTINE,
    "audit.check_catalogue": CHECK_CATALOGUE,
    "audit.check_result": CHECK_RESULTS,
    "audit.quarantine_waiver": WAIVERS,
}
"""Relations that the statistics see in a narrower form than the warehouse holds."""


def write_statistics(connection: duckdb.DuckDBPyConnection, home: Home) -> dict[str, pl.DataFrame]:
    """Compute all tables and keep them, exact, in the warehouse only: it holds the patients anyway."""
    return _write_topics(connection, home, TOPICS)


def write_check_tables(connection: duckdb.DuckDBPyConnection, home: Home) -> dict[str, pl.DataFrame]:
    """Compute the tables about checks once more, when those of the statistics themselves have run."""
    return _write_topics(connection, home, (quality.TOPIC,))


def _write_topics(
    connection: duckdb.DuckDBPyConnection, home: Home, topics: Sequence[Topic]
) -> dict[str, pl.DataFrame]:
    contract = extended_contract(CONTRACT, home.ledger, settled_deliveries(home.ledger))
    frames = exact_frames(
        lambda relation: connection.sql(COUNTED.get(relation, f"select * from {relation}")).pl(), contract, topics
    )
    _keep(connection, STATISTICS, frames)
    return frames


def write_published(connection: duckdb.DuckDBPyConnection, home: Home) -> dict[str, pl.DataFrame]:
    """Protect the statistics against the release before, and keep what may be seen as Parquet and in the warehouse."""
    protected = protected_frames(connection, INTERNAL, _previous(home, TABLES))
    public = public_tables(_exact(connection), _previous(home, PUBLIC_TABLES))
    for place, made in ((TABLES, protected), (PUBLIC_TABLES, public)):
        folder = home.building / place
        folder.mkdir(mode=0o700)
        for name, frame in made.frames.items():
            frame.write_parquet(folder / f"{name}.parquet")
    _keep(connection, "published", protected.frames)
    _keep(connection, PUBLIC_TABLES, {RECOVERY: public.frames[RECOVERY]})
    logs = ((INTERNAL, protected.log), (PUBLIC, public.log))
    log = pl.concat([log.with_columns(profile=pl.lit(profile.name)) for profile, log in logs])
    _keep(connection, "audit", {SUPPRESSION: log})
    return dict(protected.frames)


def protected_frames(
    connection: duckdb.DuckDBPyConnection, profile: Profile, previous: Mapping[str, pl.DataFrame] | None = None
) -> Protected:
    """The statistics of a warehouse after disclosure control, without the numbers that an open check keeps back.

    Args:
        connection: To a warehouse with the schema ``statistics``.
        profile: Whose eyes they are for.
        previous: The tables that these eyes saw before, if any.

    """
    protected = protect(_exact(connection), LAYOUTS, profile, previous, NESTED)
    return protected._replace(frames=without_withheld(protected.frames, LAYOUTS))


def _exact(connection: duckdb.DuckDBPyConnection) -> dict[str, pl.DataFrame]:
    """The statistics by name, in the order of their keys, which come first, as they were made."""
    return {
        name: connection.sql(f"select * from {STATISTICS}.{name} order by all nulls first").pl()
        for name in PUBLISHED_TABLES
    }


def _previous(home: Home, place: str) -> dict[str, pl.DataFrame] | None:
    """Tables in this folder of the release before the one being built."""
    before = predecessor(home)
    return None if before is None else kept_tables(home.releases / before / place) or None


def kept_tables(folder: Path) -> dict[str, pl.DataFrame]:
    """Tables of a release by name; none where it has no such folder."""
    return {path.stem: pl.read_parquet(path) for path in sorted(folder.glob("*.parquet"))}


def _keep(connection: duckdb.DuckDBPyConnection, schema: str, frames: Mapping[str, pl.DataFrame]) -> None:
    connection.execute(f"create schema if not exists {schema}")
    for name, frame in frames.items():
        connection.register("kept_frame", frame)
        connection.execute(f"create or replace table {schema}.{name} as select * from kept_frame")
        connection.unregister("kept_frame")


def write_site(home: Home) -> list[Path]:
    """Write the pages from the published tables, and from nothing else."""
    frames = kept_tables(home.building / TABLES)
    contract = extended_contract(CONTRACT, home.ledger, settled_deliveries(home.ledger))
    meta = replace(site_meta(frames, next_release(home), code_version()), catalogue=check_pages(contract))
    return build_site(frames, contract, meta, home.building / SITE)
