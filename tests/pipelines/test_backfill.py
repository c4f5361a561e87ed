"""Nights taken in one by one, all at once, in any order, or once more: the same tables, and nothing is there twice.

What readers have seen of an earlier night may hide a number from them in a later one, so that of what is published only
the numbers that neither home hides can be compared. All that lies before that is compared row by row.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.audit.ledger import entries
from assets.contract import CONTRACT
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.deliveries.reading import read_delivery
from assets.home import Home
from assets.outcomes.published import LAYOUTS
from assets.publication.release import current_release, next_release
from assets.quality.loading import load_lake
from assets.quality.verdict import judged
from assets.simulation.folders import DeliveryFolder
from assets.simulation.nights import Nights, label
from assets.warehouse.build import build_warehouse
from assets.warehouse.connection import connect
from assets.warehouse.models import load_models
from pipelines.definitions import defs
from pipelines.runner import RunOutcome, dagster_instance, run
from pipelines.settings import HOME_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import duckdb

    Tables = dict[str, pl.DataFrame]

pytestmark = pytest.mark.long
PROFILE = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
NIGHTS, SYSTEMS, PATIENTS = 3, 2, 1500
PRINTED = ("published", "public")
OF_RELEASES = {
    *("audit.check_delta", "audit.model_drift"),  # compare with the release before
    *("audit.suppression", "audit.written_file", "audit.written_key", "audit.written_number", "audit.written_table"),
}
"""Tables that tell of a release and of what was published before it, and not of what was delivered."""
RESULTS = (
    "select * exclude (run_id, seconds) from audit.check_result "
    "where is_latest and stage <> 'published' and kind <> 'model_drift' order by all"
)
"""What was found, less when; of the files that were written too much depends on what they hide."""


@dataclass(frozen=True)
class Network:
    """What two systems sent, night by night, and the homes that took it in."""

    feed: tuple[tuple[Path, ...], ...]
    nightly: Home
    at_once: Home


def take_in(home: Home, feeds: Sequence[Path]) -> RunOutcome:
    os.environ[HOME_VARIABLE] = str(home.path)
    outcome = run(home, feeds, PROFILE, lambda _: None)
    assert outcome.exit_code == 0
    return outcome


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[Path, ...], ...]:
    nights = Nights(CONTRACT, 5, PATIENTS)
    place = tmp_path_factory.mktemp("feed")
    sent: list[tuple[Path, ...]] = []
    for night in range(NIGHTS):
        of_night = [(system, place / label(system, night)) for system in nights.systems[:SYSTEMS]]
        for system, path in of_night:
            with DeliveryFolder(path, CONTRACT, "csv") as folder:
                for table, rows in nights.tables(system, night).items():
                    folder.append(table, rows)
        sent.append(tuple(path for _, path in of_night))
    return tuple(sent)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory, feed: tuple[tuple[Path, ...], ...]) -> Iterator[Network]:
    with pytest.MonkeyPatch.context() as patch:
        for name in (HOME_VARIABLE, "DAGSTER_HOME"):
            patch.setenv(name, "")  # put back when all is done
        nightly, at_once = (Home(tmp_path_factory.mktemp(name), memory_limit="1GB") for name in ("nightly", "at-once"))
        releases = [take_in(nightly, of_night).release for of_night in feed]
        assert len(set(releases)) == NIGHTS
        assert take_in(at_once, [path for of_night in feed[::-1] for path in of_night[::-1]]).release == releases[-1]
        yield Network(feed, nightly, at_once)


def warehouse(home: Home) -> Tables:
    with connect(home.warehouse.resolve(), home=home.path, read_only=True) as connection:
        return tables_of(connection) | {"results": connection.sql(RESULTS).pl()}


def tables_of(connection: duckdb.DuckDBPyConnection) -> Tables:
    """Every table of data, its rows in order."""
    names = connection.execute(
        "select table_schema || '.' || table_name from information_schema.tables where table_catalog <> 'temp'"
    ).fetchall()
    kept = [name for (name,) in names if name not in OF_RELEASES and name != "audit.check_result"]
    return {name: connection.sql(f"select * from {name} order by all").pl() for name in kept}


def exact(tables: Tables) -> Tables:
    return {name: rows for name, rows in tables.items() if name.partition(".")[0] not in PRINTED}


def differing(first: Tables, second: Tables) -> set[str]:
    assert first.keys() == second.keys()
    return {name for name, rows in first.items() if not rows.equals(second[name])}


def contradictions(first: Tables, second: Tables) -> set[str]:
    """Columns in which two homes print different numbers of the same thing."""
    found = set()
    for name, layout in LAYOUTS.items():
        one, other = first[f"published.{name}"], second[f"published.{name}"]
        both = one.join(other, on=list(layout.keys), how="full", nulls_equal=True, coalesce=True, suffix=" of other")
        assert both.height == one.height == other.height
        found |= {
            f"{name}.{number}"
            for number, kind in layout.numbers.items()
            if kind.is_numeric()
            and both.filter((pl.col(number) != pl.col(f"{number} of other")).fill_null(value=False)).height
        }
    return found


def files(*folders: Path) -> dict[str, str]:
    """Every file below some folders with the hash of what is in it."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_backfill_gives_the_tables_of_the_nights(network: Network) -> None:
    nightly, at_once = warehouse(network.nightly), warehouse(network.at_once)
    assert len(exact(nightly)) > 150
    assert differing(exact(nightly), exact(at_once)) == set()
    assert nightly["marts.episode_outcome"].height > 50
    assert contradictions(nightly, at_once) == set()
    shown = {name for name in LAYOUTS if nightly[f"published.{name}"].height}
    assert len(shown) > 30


def test_a_printed_number_that_differs_is_found(network: Network) -> None:
    tables = warehouse(network.nightly)
    name = "published.recovery_by_condition"
    other = tables | {name: tables[name].with_columns(pl.col("n") + 5)}
    assert contradictions(tables, other) == {"recovery_by_condition.n"}
    assert differing(tables, other) == {name}


def read_only(place: Home, folders: Sequence[Path]) -> Tables:
    """The models over deliveries that arrived in this order, each typed and judged by what the assets call."""
    place.create()
    for folder in folders:
        (sent,) = find_deliveries([folder], PROFILE).sent
        landed, _ = land(sent, PROFILE, CONTRACT.version, place.ledger)
        read = read_delivery(landed, place.ledger, PROFILE, PROFILE.extend(CONTRACT))
        place.ledger.save(judged(read, [], place.ledger, PROFILE))
    return modelled(place)


def modelled(home: Home) -> Tables:
    """All models over what lies in the lake of a home."""
    with connect(None, home=home.path, memory_limit="1GB") as connection:
        load_lake(connection, home)
        models = load_models()
        build_warehouse(connection, models)
        return {name: rows for name, rows in tables_of(connection).items() if name in {one.relation for one in models}}


def test_no_order_of_arrival_changes_a_model(network: Network, tmp_path: Path) -> None:
    folders = [path for of_night in network.feed for path in of_night]
    random.Random(1).shuffle(folders)  # noqa: S311 an order, no secret
    found = read_only(Home(tmp_path / "home", memory_limit="1GB"), folders)
    in_force = warehouse(network.nightly)
    assert differing(found, {name: in_force[name] for name in found}) == set()


def test_a_delivery_that_is_missing_is_missed(network: Network, tmp_path: Path) -> None:
    folders = [path for of_night in network.feed for path in of_night][:-1]
    found = read_only(Home(tmp_path / "home", memory_limit="1GB"), folders)
    in_force = warehouse(network.nightly)
    missed = differing(found, {name: in_force[name] for name in found})
    assert {"staging.measurement", "marts.episode_outcome", "audit.conservation"} <= missed


def test_the_same_feed_again_writes_nothing_but_a_line_of_the_run_log(network: Network) -> None:
    home = network.at_once
    kept = [home.path / name for name in ("lake", "audit", "releases", "evidence", "code")]
    before = files(*kept)
    again = take_in(home, [path for of_night in network.feed for path in of_night])
    assert (again.released, again.release, again.read) == (False, current_release(home), [])
    assert len(again.known) == NIGHTS * SYSTEMS
    assert files(*kept) == before


def standing(home: Home) -> dict[str, object]:
    """What must stay when anything is done once more: rows, records, and the release in force to the byte.

    A record says with which deliveries it was compared: those that were there.
    """
    rows = (f"*/{name}/**/*" for name in ("raw", "rows", "quarantined", "gx"))
    return {
        "rows": {
            path.relative_to(home.path).as_posix(): path.read_bytes()
            for pattern in rows
            for path in home.lake.glob(pattern)
            if path.is_file()
        },
        "records": [replace(one, compared_with=()) for one in home.ledger.all()],
        "release": current_release(home),
        "seals": [entry.hash for entry in entries(home.path) if entry.kind == "release"],
        "files": {
            path.relative_to(home.releases).as_posix(): path.read_bytes()
            for path in home.releases.rglob("*")
            if path.is_file() and path.name != "warehouse.duckdb"
        },
    }


@pytest.mark.parametrize("taken_in", ["at_once", "nightly"])
def test_partitions_that_are_read_again_give_the_same_rows_and_the_same_release(
    network: Network, tmp_path: Path, taken_in: str
) -> None:
    """As by a backfill of Dagster over a range of partitions, with a release job after it.

    The release that a night led to follows that of the night before: what that one shows decides what it may show.
    """
    home = Home(tmp_path / "home", memory_limit="1GB")
    shutil.copytree(getattr(network, taken_in).path, home.path, symlinks=True)
    os.environ[HOME_VARIABLE] = str(home.path)
    before = standing(home)
    with dagster_instance(home) as instance:
        partitions = instance.get_dynamic_partitions("deliveries")
        assert set(partitions) == {one.delivery_id for one in home.ledger.all()}
        for partition in partitions[1:4]:
            job = defs.resolve_job_def("ingest")
            assert job.execute_in_process(instance=instance, partition_key=partition, resources={"home": home}).success
        assert standing(home) == before
        assert next_release(home) == current_release(home)
        assert defs.resolve_job_def("release").execute_in_process(instance=instance, resources={"home": home}).success
    assert standing(home) == before
    assert len(list(home.releases.glob("*"))) == {"at_once": 1, "nightly": NIGHTS}[taken_in]
