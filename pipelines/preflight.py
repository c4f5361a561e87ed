"""``needlepoint check``: what a run would do with a feed, found in a home that is thrown away.

The same functions judge here as in a run: landing, reading, the delivery suites, the models, the release suite. Only
what comes after the audit is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from assets.contract import CONTRACT
from assets.contract.checks import Kind, release_checks
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.ledger import State
from assets.deliveries.problems import InputProblem
from assets.deliveries.reading import read_delivery
from assets.deliveries.state import delivery_contract, settled_deliveries
from assets.quality.guidance import Guidance
from assets.quality.history import delivery_results, release_results, unbalanced_deliveries, write_history
from assets.quality.hold import holding, lapsed, lifted
from assets.quality.loading import load_lake
from assets.quality.results import Status
from assets.quality.verdict import judged
from assets.warehouse.build import build_warehouse
from assets.warehouse.connection import connect
from assets.warehouse.models import load_models
from pipelines.findings import FATES, Finding, Findings, Line, Notice
from pipelines.preflight_home import empty_home, shared_home

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from assets.deliveries.landing import Sent
    from assets.deliveries.ledger import Delivery
    from assets.deliveries.profile import Profile
    from assets.home import Home
    from assets.quality.results import CheckResult
    from assets.warehouse.models import Model

ENTRIES = """
select
    delivery_id, file, row_number, table_name, check_id, status,
    missing_parent is not null and status in ('open', 'expired') as is_parent_missing
from audit.quarantine
order by delivery_id, file, row_number, table_name, check_id
"""
FATE_COUNTS = "select delivery_id, accepted, quarantined, superseded, rejected from audit.conservation"
FLAGGED = """
select clinic_key, recorder_key is not null as is_person, shown, n
from audit.behaviour
where is_flagged and check_id = ?
order by clinic_key, is_person, shown desc, n desc
"""
UNMAPPED = "unmapped.parquet"


@dataclass(slots=True)
class _Read:
    """What landing, reading and the delivery suites say, before any model has run."""

    deliveries: dict[str, Delivery] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    results: dict[str, list[CheckResult]] = field(default_factory=dict)
    not_landed: list[InputProblem] = field(default_factory=list)


def preflight(feeds: Sequence[Path], profile: Profile, home: Home, *, against_home: bool = False) -> Findings:
    """Judge feeds as a run would, and keep nothing.

    Args:
        feeds: files or folders.
        profile: what their columns mean.
        home: gives memory and threads, and what was delivered before if ``against_home``.
        against_home: judge together with what ``home`` holds. Otherwise rows whose parents are not in the feed are
            told apart, for the parents may be in the home.

    Raises:
        InputProblem: the call cannot be carried out.

    """
    found = find_deliveries(feeds, profile)
    with (shared_home if against_home else empty_home)(home) as place:
        read = _Read(not_landed=list(found.problems))
        for sent in found.sent:
            _read(sent, profile, place, read)
        if all(delivery.state is State.REJECTED for delivery in read.deliveries.values()):
            return _refused(read, against_home=against_home)  # the models would have nothing to judge
        with connect(None, home=place.path, memory_limit=place.memory_limit, threads=place.threads) as connection:
            return _judge(
                connection, place, read, Guidance(profile.extend(CONTRACT), profile), against_home=against_home
            )


def _refused(read: _Read, *, against_home: bool) -> Findings:
    return Findings(
        tuple(
            Finding(delivery, delivery_id in read.known, _fates(delivery, {"rejected": delivery.rejected}))
            for delivery_id, delivery in read.deliveries.items()
        ),
        tuple(read.not_landed),
        is_against_home=against_home,
    )


def audit_models() -> tuple[Model, ...]:
    """The models of the schema ``audit`` and all that they read, in order."""
    models = {(model.schema, model.name): model for model in load_models()}
    wanted = {key for key in models if key[0] == "audit"}
    for key in reversed(models):
        if key in wanted:
            wanted.update(set(models[key].depends_on) & set(models))
    return tuple(model for key, model in models.items() if key in wanted)


def _read(sent: Sent, profile: Profile, home: Home, read: _Read) -> None:
    try:
        delivery, is_new = land(sent, profile, CONTRACT.version, home.ledger)
    except InputProblem as problem:
        read.not_landed.append(problem)
        return
    if delivery.delivery_id in read.deliveries:  # the same content twice in one feed
        return
    contract = delivery_contract(CONTRACT, home.ledger, profile)
    if is_new:
        delivery = read_delivery(delivery, home.ledger, profile, contract)
    else:
        read.known.add(delivery.delivery_id)
    if delivery.state is not State.REJECTED:
        read.results[delivery.delivery_id] = delivery_results(home, delivery, contract)
        if is_new:
            results = read.results[delivery.delivery_id]
            delivery = judged(delivery, results, home.ledger, profile, lifted(home, delivery))
            home.ledger.save(delivery)
    read.deliveries[delivery.delivery_id] = delivery


def _judge(
    connection: duckdb.DuckDBPyConnection, home: Home, read: _Read, guidance: Guidance, *, against_home: bool
) -> Findings:
    contract = load_lake(connection, home)
    build_warehouse(connection, audit_models())
    released = release_results(connection, contract)
    entries = _entries(connection, home, read.deliveries.values(), against_home=against_home)
    counts = {row["delivery_id"]: row for row in connection.sql(FATE_COUNTS).pl().iter_rows(named=True)}
    references = {check.check_id for check in release_checks(contract) if check.kind is Kind.REFERENCE}
    failed = holding(released, lifted(home))
    held_by = [f"check {result.check_id}" for result in failed if _holds(result, entries, references)]
    write_history(connection, home, settled_deliveries(home.ledger))
    held_by += [f"check {check_id} of {label}, whose waiver has ended" for label, check_id in lapsed(connection, home)]
    if unbalanced_deliveries(connection)[1]:
        held_by.append("the account of rows, which does not add up")
    return Findings(
        tuple(
            Finding(
                delivery,
                delivery_id in read.known,
                _fates(delivery, counts.get(delivery_id, {})),
                tuple(_lines(entries.filter(pl.col("delivery_id") == delivery_id), guidance)),
                tuple(_notices(connection, read.results.get(delivery_id, ()), [delivery_id], guidance)),
                _unmapped(home, delivery_id),
                _rows_not_in_feed(entries.filter(pl.col("delivery_id") == delivery_id)),
            )
            for delivery_id, delivery in read.deliveries.items()
        ),
        tuple(read.not_landed),
        tuple(_notices(connection, released, list(read.deliveries), guidance)),
        tuple(held_by),
        against_home,
        entries,
    )


def _entries(
    connection: duckdb.DuckDBPyConnection, home: Home, deliveries: Iterable[Delivery], *, against_home: bool
) -> pl.DataFrame:
    """Rows set aside, of the deliveries of the feed. Of a held delivery the models saw nothing: what reading found."""
    judged_rows: pl.DataFrame = connection.sql(ENTRIES).pl()
    parts = [judged_rows.clear()]
    for delivery in deliveries:
        path = home.ledger.folder(delivery.delivery_id) / "quarantined" / "violation.parquet"
        if delivery.state is State.HELD:
            read = pl.read_parquet(path).with_columns(status=pl.lit("open"), is_parent_missing=pl.lit(value=False))
            parts.append(read.select(judged_rows.columns).unique().sort(judged_rows.columns))
        else:
            parts.append(judged_rows.filter(pl.col("delivery_id") == delivery.delivery_id))
    entries: pl.DataFrame = pl.concat(parts)
    return entries.with_columns(is_parent_missing=pl.lit(value=False)) if against_home else entries


def _holds(result: CheckResult, entries: pl.DataFrame, references: set[str]) -> bool:
    """Whether a failed check holds the release, not counting rows whose parents may be in the home."""
    if result.check_id not in references or result.violated is None or result.evaluated is None:
        return True
    apart = entries.filter((pl.col("check_id") == result.check_id) & pl.col("is_parent_missing")).height
    return result.violated - apart > result.tolerance * result.evaluated


def _fates(delivery: Delivery, counts: dict[str, int]) -> dict[str, int]:
    return {fate: counts.get(fate, 0) for fate in FATES[:-1]} | {FATES[-1]: delivery.out_of_scope}


def _lines(entries: pl.DataFrame, guidance: Guidance) -> Iterator[Line]:
    grouped = (
        entries.group_by("file", "check_id", "status", "is_parent_missing")
        .agg(pl.len().alias("rows"), pl.col("row_number").min().alias("first_row"))
        .sort("file", "check_id", "status", "is_parent_missing")
    )
    for row in grouped.iter_rows(named=True):
        advice = guidance.of(row["check_id"], row["file"])
        yield Line(
            file=row["file"],
            check_id=row["check_id"],
            column=advice.column,
            rows=row["rows"],
            first_row=row["first_row"],
            status=row["status"],
            not_in_feed=row["is_parent_missing"],
            sentence=advice.sentence,
            remedy=advice.remedy,
        )


def _rows_not_in_feed(entries: pl.DataFrame) -> int:
    """How many rows nothing is wrong with but that their parents are not here."""
    rows = entries.group_by("file", "row_number").agg(pl.col("is_parent_missing").all())
    return int(rows["is_parent_missing"].sum())


def _notices(
    connection: duckdb.DuckDBPyConnection, results: Iterable[CheckResult], deliveries: Sequence[str], guidance: Guidance
) -> Iterator[Notice]:
    for result in results:
        if result.status is Status.WARN:
            file, row = _first(connection, result, deliveries)
            advice = guidance.of(result.check_id, file)
            yield Notice(
                result.check_id,
                advice.sentence,
                result.evaluated or 0,
                result.violated or 0,
                advice.remedy,
                file,
                row,
                _groups(connection, result),
            )


def _groups(connection: duckdb.DuckDBPyConnection, result: CheckResult) -> tuple[str, ...]:
    """Whom a check of how data came about is about; persons are counted and not named."""
    return tuple(
        f"{'one recorder of ' if is_person else ''}{clinic or 'unknown clinic'}: {shown:,} of {n:,} ({shown / n:.0%})"
        for clinic, is_person, shown, n in connection.execute(FLAGGED, [result.check_id]).fetchall()
    )


def _first(
    connection: duckdb.DuckDBPyConnection, result: CheckResult, deliveries: Sequence[str]
) -> tuple[str | None, int | None]:
    """The first row that a warning is about; none where it is about columns or groups of rows."""
    if not result.violated_sql:
        return None, None
    marks = ", ".join("?" * len(deliveries))
    try:
        found = connection.execute(
            f"select file, min(row_number) from ({result.violated_sql}) "
            f"where delivery_id in ({marks}) and row_number is not null group by file order by file limit 1",
            list(deliveries),
        ).fetchone()
    except duckdb.Error:  # its text may quote values; the warning stands without a row
        return None, None
    return (str(found[0]), int(found[1])) if found else (None, None)


def _unmapped(home: Home, delivery_id: str) -> tuple[dict[str, object], ...]:
    path = home.ledger.folder(delivery_id) / UNMAPPED
    return tuple(pl.read_parquet(path).iter_rows(named=True)) if path.exists() else ()
