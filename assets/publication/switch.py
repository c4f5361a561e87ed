"""The last step: name the built release and put it in force."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import polars as pl

from assets.audit.code_copy import keep_code
from assets.audit.seals import seal_release
from assets.audit.typed_rows import write_rows
from assets.contract import CONTRACT
from assets.deliveries.problems import InputProblem
from assets.deliveries.state import settled_deliveries
from assets.packages import package_versions
from assets.publication.evidence import keep_pack, write_evidence
from assets.publication.publish import TABLES
from assets.publication.release import (
    IDENTITY,
    OVERTAKEN,
    code_version,
    is_in_force,
    is_overtaken,
    kept_code_versions,
    next_release,
    predecessor,
    switch_in,
    write_manifest,
)
from assets.publication.retention import prune

if TYPE_CHECKING:
    from assets.home import Home


def release_built(home: Home) -> str:
    """Write the manifest of what was built, switch it in, and return its id.

    Raises:
        InputProblem: OVERTAKEN: what the home holds is not what the release was built from; the one in force stays.

    """
    if is_overtaken(home):
        raise InputProblem("OVERTAKEN", "release", *OVERTAKEN)
    (home.building / IDENTITY).unlink()
    deliveries = settled_deliveries(home.ledger)
    code = code_version()
    identity = next_release(home)
    write_evidence(home)
    statuses = pl.read_parquet(home.building / TABLES / "check_summary.parquet")["status"].to_list()
    checks = dict(sorted(Counter(statuses).items()))
    write_manifest(home.building, identity, deliveries, code, CONTRACT.version, checks, predecessor(home))
    keep_code(home.path, code, package_versions(), kept_code_versions(home))
    if is_in_force(home, identity):
        shutil.rmtree(home.building)
    else:
        write_rows(home, deliveries)
        seal_release(home, identity)
        switch_in(home, identity)
        prune(home, home.keep_releases)
    keep_pack(home)
    return identity
