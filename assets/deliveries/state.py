"""The state of the lake: which deliveries count, and the contract they were read under."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from assets.deliveries.landing import PROFILE_NAME
from assets.deliveries.ledger import State
from assets.deliveries.profile import load_profile
from assets.deliveries.reading import VIOLATION_SCHEMA
from assets.quality.thresholds import decided_thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from assets.contract.model import Contract
    from assets.deliveries.ledger import Delivery, Ledger
    from assets.deliveries.profile import Profile

SETTLED = (State.ACCEPTED, State.REJECTED, State.HELD)


def settled_deliveries(ledger: Ledger) -> tuple[Delivery, ...]:
    """Deliveries whose fate is decided, in the order in which later rows replace earlier ones."""
    return tuple(delivery for delivery in ledger.all() if delivery.state in SETTLED)


def left_deliveries(ledger: Ledger) -> tuple[Delivery, ...]:
    """Deliveries that were landed and whose reading never came to its end, in the same order."""
    return tuple(delivery for delivery in ledger.all() if delivery.state not in SETTLED)


def extended_contract(contract: Contract, ledger: Ledger, deliveries: Sequence[Delivery]) -> Contract:
    """The contract with what the profiles of all accepted deliveries add and the people of this home decided.

    Raises:
        ValueError: two profiles give one id two meanings.
        InputProblem: a line of the audit ledger cannot be used.

    """
    # a year of nights has one profile: it is read once
    profiles = {one.profile_digest: one.delivery_id for one in deliveries if one.state is State.ACCEPTED}
    for delivery_id in profiles.values():
        contract = load_profile(ledger.folder(delivery_id) / PROFILE_NAME, contract).extend(contract)
    return replace(contract, thresholds=decided_thresholds(ledger.home))


def delivery_contract(contract: Contract, ledger: Ledger, profile: Profile) -> Contract:
    """The contract under which a delivery of this profile is judged.

    Raises:
        InputProblem: a line of the audit ledger cannot be used.

    """
    return replace(profile.extend(contract), thresholds=decided_thresholds(ledger.home))


def row_files(ledger: Ledger, deliveries: Sequence[Delivery], table: str) -> tuple[Path, ...]:
    """Parquet files that hold the rows of a canonical table, of accepted deliveries only."""
    return tuple(
        path
        for delivery in deliveries
        if delivery.state is State.ACCEPTED
        for path in sorted((ledger.folder(delivery.delivery_id) / "rows").glob(f"{table}.*.parquet"))
    )


def delivery_frame(deliveries: Sequence[Delivery]) -> pl.DataFrame:
    """One row per delivery for ``lake.delivery``; rows are source rows."""
    return pl.DataFrame(
        [
            (
                delivery.delivery_id,
                delivery.label,
                delivery.extract_stamp,
                delivery.profile,
                delivery.privacy_mode,
                delivery.state.value,
                delivery.problem_code,
                len(delivery.files),
                delivery.ingested,
                delivery.out_of_scope,
                0 if delivery.rejected else delivery.set_aside,
                delivery.rejected,
            )
            for delivery in deliveries
        ],
        schema={
            "delivery_id": pl.String,
            "label": pl.String,
            "extract_stamp": pl.String,
            "profile": pl.String,
            "privacy_mode": pl.String,
            "state": pl.String,
            "problem_code": pl.String,
            "file_count": pl.Int64,
            "ingested": pl.Int64,
            "out_of_scope": pl.Int64,
            "set_aside_on_reading": pl.Int64,
            "rejected": pl.Int64,
        },
        orient="row",
    )


def violation_frame(ledger: Ledger, deliveries: Sequence[Delivery]) -> pl.DataFrame:
    """Rows set aside on reading, one line per row and check, for ``lake.violation``."""
    frames = [
        pl.read_parquet(ledger.folder(delivery.delivery_id) / "quarantined" / "violation.parquet")
        for delivery in deliveries
        if delivery.state is State.ACCEPTED
    ]
    return pl.concat([pl.DataFrame(schema=VIOLATION_SCHEMA), *frames])
