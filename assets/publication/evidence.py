"""Writes the evidence pack of the release being built, beside it the keys of failing rows, and keeps every pack.

The pack goes into the site, in ``evidence/<day of the newest extract>_<release>/``, and so into bundles. What rows
violate a check goes to ``evidence-restricted/`` of the release, which is in no site and in no bundle: pseudonymous keys
are for those who correct the data. Packs of released sites are copied to ``HOME/evidence`` and stay when the release
is dropped; nothing there is ever overwritten.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from assets.contract import CONTRACT
from assets.contract.model import KEY_PATTERN
from assets.deliveries.state import settled_deliveries
from assets.home import PRIVATE_FOLDER
from assets.packages import package_versions
from assets.privacy.disclosure.profiles import INTERNAL
from assets.publication.evidence_pack import Facts, pack_files, sha256
from assets.publication.publish import SUPPRESSION, TABLES, kept_tables
from assets.publication.release import SITE, code_version, next_release
from assets.publication.site_meta import site_meta
from assets.warehouse.connection import connect
from dashboards.pages.evidence import PACKS, pack_name

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from assets.home import Home
    from assets.publication.evidence_pack import Row

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
        _write_failing_keys(connection, home.building / RESTRICTED / FAILING_KEYS)
    facts = _facts(home, results, hidden)
    folder = home.building / SITE / PACKS / pack_name(facts.stamp, facts.release)
    folder.mkdir(parents=True)
    for name, content in pack_files(facts).items():
        (folder / name).write_bytes(content)
    return folder


def keep_pack(home: Home) -> None:
    """Copy the pack of the release in force to where packs are kept; one of the same name with other bytes stays."""
    for pack in sorted((home.site / PACKS).iterdir()):
        kept = home.path / PACKS
        kept.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        earlier = [path for path in kept.glob(f"{pack.name}*") if path.is_dir()]
        if any(_bytes(path) == _bytes(pack) for path in earlier):
            continue
        target = kept / (f"{pack.name}-{len(earlier) + 1}" if earlier else pack.name)
        incoming = kept / f".{target.name}"
        shutil.rmtree(incoming, ignore_errors=True)
        shutil.copytree(pack, incoming)
        incoming.rename(target)


def _facts(home: Home, results: list[Row], hidden: dict[str, int]) -> Facts:
    frames = kept_tables(home.building / TABLES)
    meta = site_meta(frames, next_release(home), code_version())
    site = home.building / SITE
    return Facts(
        release=meta.release,
        stamp=meta.stamp,
        code_version=meta.code_version,
        contract_version=meta.contract_version,
        definition=CONTRACT.default_definition.versioned_id,
        packages=package_versions(),
        deliveries=settled_deliveries(home.ledger),
        checks=frames["check_summary"].to_dicts(),
        results=results,
        conservation=frames["conservation"].to_dicts(),
        waivers=frames["waiver_in_force"].to_dicts(),
        profile=INTERNAL.name,
        minimum_group=meta.minimum_group,
        hidden=hidden,
        files={
            path.relative_to(site).as_posix(): sha256(path.read_bytes())
            for path in sorted(site.rglob("*"))
            if path.is_file()
        },
    )


def _write_failing_keys(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    folder.mkdir(parents=True, mode=PRIVATE_FOLDER)
    for (check_id,), rows in connection.sql(FAILING).pl().partition_by("check_id", as_dict=True).items():
        rows.write_csv(folder / f"{check_id}.csv")


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
