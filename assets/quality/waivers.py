"""Waivers: who decided that a check may go on failing, which, why, and until when.

They are entries of the ledger, and of two kinds. One about rows releases none from quarantine; it takes them off the
list of what is to be done. One about the hold lets a delivery or release pass although a blocking check fails. The
check stays failed and is shown as waived; once the last day has passed it holds again.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self

import polars as pl
from pydantic import Field, ValidationError, model_validator

from assets.deliveries.problems import InputProblem
from assets.quality.decisions import SHORTEST_REASON, Decision, Decisions, Name

if TYPE_CHECKING:
    from collections.abc import Iterable

CODE = "WAIVER"
EARLIER = "waivers.jsonl"
FRAME_SCHEMA = pl.Schema(
    {
        "check_id": pl.String(),
        "delivery_id": pl.String(),
        "file": pl.String(),
        "row_number": pl.Int64(),
        "ends_on": pl.String(),
        "lifts": pl.String(),
    }
)


class Lifts(StrEnum):
    """What a waiver takes away."""

    TO_DO = "to_do"
    """Rows set aside need not be corrected."""
    HOLD = "hold"
    """The check holds nothing back."""


class Waiver(Decision):
    """One decision. ``delivery_id``, ``file`` and ``row_number`` narrow it; without them it covers the whole check."""

    check_id: Name
    lifts: Lifts = Lifts.TO_DO
    delivery_id: Name | None = None
    file: Name | None = None
    row_number: Annotated[int, Field(ge=1)] | None = None
    until: date

    @model_validator(mode="after")
    def _is_narrowed_in_order(self) -> Self:
        if self.delivery_id is None and (self.file is not None or self.row_number is not None):
            message = "a file or row belongs to a delivery"
            raise ValueError(message)
        if self.lifts is Lifts.HOLD and self.file is not None:
            message = "a delivery is held as a whole"
            raise ValueError(message)
        return self


WAIVERS = Decisions("waiver", CODE, Waiver, earlier=EARLIER)


def new_waiver(
    check_id: str,
    *,
    by: str,
    because: str,
    until: str,
    now: datetime,
    known_checks: Iterable[str],
    lifts: Lifts = Lifts.TO_DO,
    delivery_id: str | None = None,
    file: str | None = None,
    row_number: int | None = None,
) -> Waiver:
    """Return a waiver of ``check_id``. ``known_checks`` are those that have what it lifts.

    Raises:
        InputProblem: WAIVER: the check has nothing to lift, a field cannot be used, or the last day has passed.

    """
    if check_id not in set(known_checks):
        does = "sets rows aside" if lifts is Lifts.TO_DO else "holds a delivery or release"
        raise InputProblem(CODE, "waiver", f"no check of this name {does}", "Names are in the check catalogue")
    try:
        waiver = Waiver.model_validate(
            {
                "check_id": check_id,
                "lifts": lifts,
                "delivery_id": delivery_id,
                "file": file,
                "row_number": row_number,
                "by": by,
                "because": because,
                "until": until,
                "added": now.astimezone(UTC),
            }
        )
    except ValidationError as error:
        raise InputProblem(
            CODE,
            "waiver",
            WAIVERS.said(error),
            f"Give who, a reason of at least {SHORTEST_REASON} characters and the last day as YYYY-MM-DD; "
            "a file or row only together with its delivery",
        ) from None
    if waiver.until < waiver.added.date():
        raise InputProblem(CODE, "waiver", "its last day has passed", "Give a day that lies ahead")
    return waiver


def waiver_frame(waivers: Iterable[Waiver]) -> pl.DataFrame:
    """Waivers as rows of ``lake.waiver``: what they cover and until when, not who gave them."""
    return (
        pl.DataFrame(
            [
                (
                    waiver.check_id,
                    waiver.delivery_id,
                    waiver.file,
                    waiver.row_number,
                    waiver.until.isoformat(),
                    waiver.lifts.value,
                )
                for waiver in waivers
            ],
            schema=FRAME_SCHEMA,
            orient="row",
        )
        .unique()
        .sort(FRAME_SCHEMA.names())
    )


def waivers_digest(waivers: Iterable[Waiver]) -> str:
    """What of the waivers a release depends on, as a hash; empty without waivers."""
    rows = waiver_frame(waivers).rows()
    return hashlib.sha256(repr(rows).encode()).hexdigest() if rows else ""


def lifted_holds(waivers: Iterable[Waiver], day: str, delivery_id: str | None) -> frozenset[str]:
    """Checks that hold nothing back on ``day`` (as 2026-12-31): of one delivery, or of the release (None)."""
    return frozenset(
        waiver.check_id
        for waiver in waivers
        if waiver.lifts is Lifts.HOLD and waiver.until.isoformat() >= day and waiver.delivery_id in (None, delivery_id)
    )
