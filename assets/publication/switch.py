"""The last step: name the built release and put it in force."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import polars as pl

from assets.contract import CONTRACT
from assets.deliveries.state import settled_deliveries
from assets.publication.publish import TABLES
from assets.publication.release import code_version, next_release, switch_in, write_manifest

if TYPE_CHECKING:
    from assets.home import Home


def release_built(home: Home) -> str:
    """Write the manifest of what was built, switch it in, and return its id."""
    deliveries = settled_deliveries(home.ledger)
    code = code_version()
    identity = next_release(home)
    statuses = pl.read_parquet(home.building / TABLES / "check_summary.parquet")["status"].to_list()
    write_manifest(home.building, identity, deliveries, code, CONTRACT.version, dict(sorted(Counter(statuses).items())))
    switch_in(home, identity)
    return identity
