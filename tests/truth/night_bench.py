"""One home, night by night: deliveries are taken in and releases judged by what the Dagster assets call.

No page is made and no statistic computed: what is judged here are deliveries, the rules between rows, habits, volumes
and drift. Checks of models, statistics and published files look at the pipeline and not at what clinics send.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from assets.audit.drift import write_drift
from assets.contract import CONTRACT
from assets.contract.drift import drift_checks
from assets.contract.model import Severity
from assets.deliveries.landing import PROFILE_NAME, find_deliveries, land, share
from assets.deliveries.ledger import State
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.deliveries.reading import read_delivery
from assets.deliveries.state import delivery_contract, settled_deliveries
from assets.home import Home
from assets.quality.history import delivery_results, release_results, result_frame, save_results
from assets.quality.loading import load_lake
from assets.quality.results import Status
from assets.quality.sql_checks import run_sql_checks
from assets.quality.verdict import judged
from assets.warehouse.build import build_warehouse
from assets.warehouse.connection import connect
from assets.warehouse.models import Model, load_models

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import duckdb

    from assets.contract.model import Contract
    from assets.deliveries.ledger import Delivery
    from assets.quality.results import CheckResult

TOLD = (Status.WARN, Status.FAIL, Status.ERROR)
PROFILE = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
RUN = "night"
SAID = "said.json"
SUPERSEDED = "superseded"
RULES = ("rule_violation", "rule_evaluated", "row_set_aside")
OF_DRIFT = ("quarantine_finding", "quarantine_origin", "delivery_clinic")

Named = tuple[str, str, int, str]
"""Delivery (its label), file, row and the check that names the row."""
Alarm = tuple[str, str]
"""A check and what it is about: the label of a delivery, a clinic and perhaps a person there, or the whole release."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one night said: alarms that somebody is told, and rows that a check names."""

    alarms: frozenset[Alarm]
    named: frozenset[Named]


@dataclass(frozen=True, slots=True)
class Said:
    """What the gate of a delivery said: alarms, and the queries of warnings that some of its rows violate."""

    alarms: tuple[str, ...]
    warned: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Bench:
    """A home of its own; beside its deliveries lies what their gate said."""

    home: Home

    def take_in(self, folder: Path) -> Delivery | None:
        """Land, read and gate what lies in ``folder``; None where nothing was sent."""
        if not folder.exists():
            return None
        found = find_deliveries([folder], PROFILE)
        (sent,) = found.sent
        record, is_new = land(sent, PROFILE, CONTRACT.version, self.home.ledger)
        if not is_new:
            return record
        place = self.home.ledger.folder(record.delivery_id)
        profile = load_profile(place / PROFILE_NAME, CONTRACT)
        record = read_delivery(record, self.home.ledger, profile, profile.extend(CONTRACT))
        results: list[CheckResult] = []
        if record.state is not State.REJECTED:
            contract = delivery_contract(CONTRACT, self.home.ledger, profile)
            results = delivery_results(self.home, record, contract)
            save_results(place, result_frame(results, contract, record.delivery_id, RUN))
            record = judged(record, results, self.home.ledger, profile)
            self.home.ledger.save(record)
        alarms = [one.check_id for one in results if told(one)]
        if record.problem_code not in (None, "CHECK"):
            alarms.append(f"{record.state.value}: {record.problem_code}")
        warned = [
            (one.check_id, one.violated_sql)
            for one in results
            if one.violated and one.severity is Severity.WARNING and one.violated_sql
        ]
        (place / SAID).write_text(json.dumps([alarms, warned]), encoding="utf-8")
        return record

    def judge(self, *, with_drift: bool = True) -> Judgement:
        """Build what the gate of a release reads, and judge it."""
        deliveries = settled_deliveries(self.home.ledger)
        labels = {one.delivery_id: one.label for one in deliveries}
        with connect(None, home=self.home.path, memory_limit="1GB", threads=1) as connection:
            contract = load_lake(connection, self.home)
            _copy_lake(connection, [table.name for table in contract.tables])
            build_warehouse(connection, gate_models(with_drift=with_drift))
            results = release_results(connection, contract)
            flagged = _drift(connection, contract) if with_drift else set()
            violations = connection.execute(
                "select check_id, delivery_id, file, row_number, clinic_key, recorder_key from audit.rule_violation"
            ).fetchall()
            named = set(self._named(connection, deliveries))
        warned = {one.check_id for one in results if told(one)}
        alarms = {(check_id, one.label) for one in deliveries for check_id in self.said(one).alarms}
        for check_id, delivery_id, file, row, clinic, recorder in violations:
            if row is not None:
                named.add((labels[delivery_id], file, row, check_id))
            if check_id in warned:
                about = labels.get(delivery_id) if row is None else None
                alarms.add((check_id, about or "/".join(filter(None, (clinic, recorder)))))
        alarms |= flagged
        alarms |= {(check_id, "") for check_id in warned if not any(check_id == known for known, _ in alarms)}
        return Judgement(frozenset(alarms), frozenset(named))

    def said(self, delivery: Delivery) -> Said:
        """What the gate of a delivery said."""
        alarms, warned = json.loads((self.home.ledger.folder(delivery.delivery_id) / SAID).read_text(encoding="utf-8"))
        return Said(tuple(alarms), tuple((check_id, sql) for check_id, sql in warned))

    def _named(self, connection: duckdb.DuckDBPyConnection, deliveries: Sequence[Delivery]) -> Iterator[Named]:
        """Rows of deliveries that count: set aside on reading, superseded by a copy, or named by a warning."""
        labels = {one.delivery_id: one.label for one in deliveries}
        for delivery_id, file, row, check_id in connection.execute(
            "select delivery_id, file, row_number, check_id from lake.violation"
        ).fetchall():
            yield labels[delivery_id], file, row, check_id
        for delivery_id, file, row in connection.execute(
            "select delivery_id, file, row_number from audit.row_set_aside where fate = 'superseded'"
        ).fetchall():
            yield labels[delivery_id], file, row, SUPERSEDED
        for delivery in deliveries:
            for check_id, sql in self.said(delivery).warned:
                for delivery_id, file, row in connection.execute(sql).fetchall():
                    if delivery_id == delivery.delivery_id:
                        yield delivery.label, file, row, check_id

    def copy_from(self, other: Bench, labels: Iterable[str]) -> None:
        """Take deliveries over that another home has read already; their files are shared."""
        wanted = set(labels)
        for record in other.home.ledger.all():
            if record.label in wanted:
                shutil.copytree(
                    other.home.ledger.folder(record.delivery_id),
                    self.home.ledger.folder(record.delivery_id),
                    copy_function=share,
                )

    def forget(self, label: str) -> None:
        """Take a delivery out again."""
        for record in self.home.ledger.all():
            if record.label == label:
                shutil.rmtree(self.home.ledger.folder(record.delivery_id))


def _copy_lake(connection: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> None:
    """Keep the rows of all nights in tables: hundreds of small files are opened once and not by every model."""
    for table in tables:
        connection.execute(f"create table lake.copied as select * from lake.{table}")
        connection.execute(f"drop view lake.{table}")
        connection.execute(f"alter table lake.copied rename to {table}")


def _drift(connection: duckdb.DuckDBPyConnection, contract: Contract) -> set[Alarm]:
    """Drift checks that warn, with clinic and night; those for which every night is as usual need not be run."""
    write_drift(connection, contract)
    flagged = connection.execute(
        "select check_id, clinic_key, delivery_id from audit.drift where is_flagged"
    ).fetchall()
    suspects = [check for check in drift_checks(contract) if check.check_id in {check_id for check_id, *_ in flagged}]
    warned = {one.check_id for one in run_sql_checks(connection, contract, suspects) if told(one)} if suspects else ()
    return {(check_id, f"{clinic}/{delivery_id}") for check_id, clinic, delivery_id in flagged if check_id in warned}


def told(result: CheckResult) -> bool:
    """Whether somebody is told."""
    return result.status in TOLD


def new_bench(folder: Path) -> Bench:
    """A home in which nothing was delivered yet."""
    home = Home(folder, memory_limit="1GB", threads=1)
    home.create()
    return Bench(home)


@cache
def gate_models(*, with_drift: bool) -> tuple[Model, ...]:
    """Models that the gate of a release reads, in order; those that drift needs if it is looked for."""
    models = {(model.schema, model.name): model for model in load_models()}
    needed: set[tuple[str, str]] = set()
    waiting = [key for key in models if key[0] == "audit" and key[1] in (*RULES, *(OF_DRIFT if with_drift else ()))]
    while waiting:
        key = waiting.pop()
        if key in models and key not in needed:
            needed.add(key)
            waiting += models[key].depends_on
    return tuple(model for key, model in models.items() if key in needed)
