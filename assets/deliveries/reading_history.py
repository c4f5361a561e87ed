"""What earlier readings of a delivery set aside.

A delivery is read again when its profile or the contract has changed. That replaces its rows; so that a row which was
set aside then and is taken in now can still say so, a line per row and check is kept beside them, without any value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.deliveries.ledger import State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from assets.deliveries.ledger import Delivery, Ledger

HISTORY = "quarantine_history.parquet"
HISTORY_SCHEMA = pl.Schema(
    {
        "reading": pl.Int64(),
        "profile_digest": pl.String(),
        "contract_version": pl.String(),
        "delivery_id": pl.String(),
        "file": pl.String(),
        "row_number": pl.Int64(),
        "table_name": pl.String(),
        "check_id": pl.String(),
    }
)


def remember_reading(folder: Path, record: Delivery) -> None:
    """Add what the present reading of a delivery set aside to its history; call it before that reading is replaced.

    ``folder`` is the delivery's folder in the lake, ``record`` what the ledger says of the reading. Only a reading that
    was accepted put rows into quarantine. A reading under a profile and contract that are remembered already is not
    added, so that the call may be repeated after a crash.
    """
    path = folder / "quarantined" / "violation.parquet"
    if record.state is not State.ACCEPTED or not path.exists():
        return
    history = _history(folder)
    readings = history.select("reading", "profile_digest", "contract_version").unique().rows()
    if any(reading[1:] == (record.profile_digest, record.contract_version) for reading in readings):
        return
    number = max((reading[0] for reading in readings), default=0) + 1
    found = pl.read_parquet(path).select(
        pl.lit(number, pl.Int64).alias("reading"),
        pl.lit(record.profile_digest).alias("profile_digest"),
        pl.lit(record.contract_version).alias("contract_version"),
        *HISTORY_SCHEMA.names()[3:],
    )
    temporary = folder / f"{HISTORY}.tmp"
    pl.concat([history, found]).write_parquet(temporary)
    temporary.replace(folder / HISTORY)


def history_frame(ledger: Ledger, deliveries: Sequence[Delivery]) -> pl.DataFrame:
    """What earlier readings of the accepted deliveries set aside, for ``lake.reading_history``."""
    frames = [
        _history(ledger.folder(delivery.delivery_id)) for delivery in deliveries if delivery.state is State.ACCEPTED
    ]
    return pl.concat([pl.DataFrame(schema=HISTORY_SCHEMA), *frames])


def _history(folder: Path) -> pl.DataFrame:
    path = folder / HISTORY
    return pl.read_parquet(path) if path.exists() else pl.DataFrame(schema=HISTORY_SCHEMA)
