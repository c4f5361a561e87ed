"""Writes the evidence pack of the release being built, beside it the keys of failing rows, and keeps every pack.

The pack goes into the site, in ``evidence/<day of the newest extract>_<release>/``, and so into bundles. What rows
violate a check goes to ``evidence-restricted/`` of the release, which is in no site and in no bundle: pseudonymous keys
are for those who correct the data. Packs of released sites are copied to ``HOME/evidence`` and stay when the release
is dropped; nothing there is ever overwritten. A kept pack has a trail beside (``trail.py``), and the ledger names it.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from assets.audit.ledger import append, entries
from assets.contract import CONTRACT
from assets.contract.model import KEY_PATTERN
from assets.contract.thresholds import threshold
from assets.deliveries.state import extended_contract, settled_deliveries
from assets.home import PRIVATE_FOLDER
from assets.packages import package_versions
from assets.privacy.disclosure.profiles import INTERNAL
from assets.publication.evidence_pack import SUMS, Facts, pack_files, sha256, sums
from assets.publication.publish import SUPPRESSION, TABLES, kept_tables
from assets.publication.quality_log import audit_frame, written_results
from assets.publication.release import SITE, code_version, current_release, next_release
from assets.publication.site_meta import site_meta
from assets.publication.trail import DECISIONS, TRAIL_FILES, Trail, trail_files
from assets.quality.catalogue import all_checks
from assets.quality.validations import read_validations
from assets.warehouse.connection import connect
from dashboards.pages.evidence import PACKS, pack_name
from dashboards.status import STATUS_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import duckdb

    from assets.contract.model import Contract
    from assets.deliveries.ledger import Delivery
    from assets.home import Home
    from assets.publication.evidence_pack import Row

MOST_VALIDATIONS = 30
"""Deliveries, the newest ones, whose validations are in a pack: those before have packs of their own."""
DECIDED = "decided in this installation: who and why is in the ledger"
RESTRICTED = "evidence-restricted"
FAILING_KEYS = "failing-keys"
RESULTS = (
    "select check_id, delivery_id, status, sql_hash from audit.check_result where is_latest "
    "order by check_id, delivery_id"
)
HIDDEN = f"select kind, count(*) from audit.{SUPPRESSION} where profile = ? group by kind order by kind"
# What a row carries as a key is shown only where it can be one: a key that breaks the pattern may be anything.
FAILING = f"""
with named as (
    select distinct
        delivery_id,
        file,
        row_number,
        table_name,
        case when regexp_full_match(visit_key, '{KEY_PATTERN}') then visit_key end as visit_key,
        case when regexp_full_match(episode_key, '{KEY_PATTERN}') then episode_key end as episode_key,
        case when regexp_full_match(patient_key, '{KEY_PATTERN}') then patient_key end as patient_key
    from audit.quarantine_row
),
found as (
    select check_id, table_name, delivery_id, file, row_number, status from audit.quarantine
    where status <> 're_ingested'
    union all
    select check_id, table_name, delivery_id, file, row_number, fate from audit.rule_violation
    where fate = 'reported' and row_number is not null
)
select * from found left join named using (delivery_id, file, row_number, table_name) order by all
"""


def write_evidence(home: Home) -> Path:
    """Write the pack into the site being built, which is whole but for it, and return its folder."""
    with connect(home.building / "warehouse.duckdb", home=home.path, read_only=True) as connection:
        results = connection.sql(RESULTS).pl().to_dicts()
        hidden = dict(connection.execute(HIDDEN, [INTERNAL.name]).fetchall())
        drift = _rows(connection, "drift")
        written = written_results(connection)
        _write_failing_keys(connection, home.building / RESTRICTED / FAILING_KEYS)
    facts = _facts(home, results, hidden, drift, [] if written is None else written.to_dicts())
    folder = home.building / SITE / PACKS / pack_name(facts.stamp, facts.release)
    _write(folder, pack_files(facts))
    return folder


def keep_pack(home: Home) -> None:
    """Keep the pack of the release in force, with its trail; one of the same name with other bytes stays."""
    for pack in sorted((home.site / PACKS).iterdir()):
        kept = home.path / PACKS
        kept.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        files = _bytes(pack)
        earlier = [path for path in kept.glob(f"{pack.name}*") if path.is_dir()]
        if any(_without_trail(_bytes(path)) == _without_trail(files) for path in earlier):
            continue
        target = kept / (f"{pack.name}-{len(earlier) + 1}" if earlier else pack.name)
        files |= trail_files(_trail(home))
        files[SUMS] = sums(files)
        incoming = kept / f".{target.name}"
        shutil.rmtree(incoming, ignore_errors=True)
        _write(incoming, files)
        append(home.path, "pack", {"pack": target.name, "sums_sha256": sha256(files[SUMS])})
        incoming.rename(target)


def _trail(home: Home) -> Trail:
    """What went before the release in force."""
    found = entries(home.path)
    sealed = [entry.body["release"] for entry in found if entry.kind == "release"]
    release = current_release(home) or ""
    before = next((name for name in reversed(sealed) if name != release), None)
    with connect(home.warehouse, home=home.path, read_only=True) as connection:
        delta = _rows(connection, "check_delta")
    return Trail(
        release=release,
        before=before,
        head=found[-1] if found else None,
        decisions=[entry for entry in found if entry.kind in DECISIONS],
        delta=delta,
    )


def _rows(connection: duckdb.DuckDBPyConnection, name: str) -> list[Row]:
    frame = audit_frame(connection, name)
    return [] if frame is None else frame.to_dicts()


def _facts(home: Home, results: list[Row], hidden: dict[str, int], drift: list[Row], written: list[Row]) -> Facts:
    frames = kept_tables(home.building / TABLES)
    meta = site_meta(frames, next_release(home), code_version())
    site = home.building / SITE
    deliveries = settled_deliveries(home.ledger)
    contract = extended_contract(CONTRACT, home.ledger, deliveries)
    return Facts(
        release=meta.release,
        stamp=meta.stamp,
        code_version=meta.code_version,
        contract_version=meta.contract_version,
        definition=CONTRACT.default_definition.versioned_id,
        packages=package_versions(),
        deliveries=deliveries,
        checks=[*frames["check_summary"].to_dicts(), *written],
        results=results,
        conservation=frames["conservation"].to_dicts(),
        waivers=frames["waiver_in_force"].to_dicts(),
        profile=INTERNAL.name,
        minimum_group=meta.minimum_group,
        hidden=hidden,
        files={
            path.relative_to(site).as_posix(): sha256(path.read_bytes())
            for path in sorted(site.rglob("*"))
            if path.is_file() and path.name != STATUS_FILE
        },
        thresholds=_thresholds(contract),
        catalogue={check.check_id: check for check in all_checks(contract)},
        drift=drift,
        validations=_validations(home, deliveries[-MOST_VALIDATIONS:], meta.minimum_group),
    )


def _thresholds(contract: Contract) -> list[Row]:
    """How much each check may find, with the reason; what people of this home decided stands in the ledger."""
    rows = []
    for check in all_checks(contract):
        stated = threshold(check.check_id, check.kind)
        decided = contract.thresholds.get(check.check_id)
        rows.append(
            {
                "check_id": check.check_id,
                "value": stated.value if decided is None else decided,
                "reason": stated.reason if decided is None else DECIDED,
                "owner": stated.owner,
                "since": stated.since.isoformat() if decided is None else "",
            }
        )
    return rows


def _validations(home: Home, deliveries: Sequence[Delivery], minimum_group: int) -> dict[str, bytes]:
    """What Great Expectations said of the release and of these deliveries, by name."""
    found = read_validations(home.building, minimum_group)
    for one in deliveries:
        for stage, content in read_validations(home.ledger.folder(one.delivery_id), minimum_group).items():
            found[f"{stage}-{one.delivery_id}"] = content
    return found


def _write_failing_keys(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    folder.mkdir(parents=True, mode=PRIVATE_FOLDER)
    for (check_id,), rows in connection.sql(FAILING).pl().partition_by("check_id", as_dict=True).items():
        rows.write_csv(folder / f"{check_id}.csv")


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        path.write_bytes(content)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _without_trail(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if name not in (*TRAIL_FILES, SUMS)}
