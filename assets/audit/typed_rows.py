"""Which typed rows a release was made from: ``rows.json`` of the release, one digest per reading, sealed with it.

A reading that the release before was made from keeps the digest it had then, so that rows changed in between are found
and not sealed anew.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from assets.audit.findings import read_object
from assets.audit.seals import file_hashes
from assets.deliveries.ledger import State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from assets.deliveries.ledger import Delivery
    from assets.home import Home

ROWS = "rows.json"
PLACES = ("rows/", "quarantined/")


def write_rows(home: Home, deliveries: Iterable[Delivery]) -> None:
    """Write the digests of the accepted deliveries into the release being built."""
    known = read_object(home.current / ROWS) or {}
    digests = {
        one.run_key: known.get(one.run_key) or rows_digest(home.ledger.folder(one.delivery_id))
        for one in deliveries
        if one.state is State.ACCEPTED
    }
    (home.building / ROWS).write_text(json.dumps(digests, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def rows_digest(folder: Path) -> str:
    """SHA-256 over the files of rows of one reading, by their names."""
    found = file_hashes(folder, lambda name: name.startswith(PLACES))
    return hashlib.sha256("".join(f"{digest}  {name}\n" for name, digest in found.items()).encode()).hexdigest()
