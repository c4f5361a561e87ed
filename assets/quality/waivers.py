"""Waivers: who decided that rows set aside need not be corrected, which, why, and until when.

``HOME/waivers.jsonl`` only ever grows: one JSON object per line. A waiver releases no row from quarantine; it takes
the row off the list of what is to be done.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Self

import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from assets.deliveries.problems import InputProblem
from assets.quality.decisions import SHORTEST_REASON, DecisionFile, Name, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FILE = "waivers.jsonl"
FRAME_SCHEMA = pl.Schema(
    {
        "check_id": pl.String(),
        "delivery_id": pl.String(),
        "file": pl.String(),
        "row_number": pl.Int64(),
        "ends_on": pl.String(),
    }
)


class Waiver(BaseModel):
    """One decision. ``delivery_id``, ``file`` and ``row_number`` narrow it; without them it covers the whole check."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check_id: Name
    delivery_id: Name | None = None
    file: Name | None = None
    row_number: Annotated[int, Field(ge=1)] | None = None
    by: Name
    because: Reason
    until: date
    added: AwareDatetime

    @model_validator(mode="after")
    def _is_narrowed_in_order(self) -> Self:
        if self.delivery_id is None and (self.file is not None or self.row_number is not None):
            message = "a file or row belongs to a delivery"
            raise ValueError(message)
        return self


WAIVERS = DecisionFile(FILE, "waiver", "WAIVER", Waiver)


def read_waivers(home: Path) -> tuple[Waiver, ...]:
    """Every waiver of a home, in the order in which they were added.

    Raises:
        InputProblem: WAIVER, naming the line that cannot be used.

    """
    return WAIVERS.read(home)


def new_waiver(
    check_id: str,
    *,
    by: str,
    because: str,
    until: str,
    now: datetime,
    known_checks: Iterable[str],
    delivery_id: str | None = None,
    file: str | None = None,
    row_number: int | None = None,
) -> Waiver:
    """Return a waiver for rows that violate ``check_id``.

    Raises:
        InputProblem: WAIVER: the check sets no row aside, a field cannot be used, or the last day has passed.

    """
    if check_id not in set(known_checks):
        raise InputProblem(
            "WAIVER", "waiver", "no check of this name sets rows aside", "Names are in the check catalogue"
        )
    try:
        waiver = Waiver.model_validate(
            {
                "check_id": check_id,
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
            "WAIVER",
            "waiver",
            WAIVERS.said(error),
            f"Give who, a reason of at least {SHORTEST_REASON} characters and the last day as YYYY-MM-DD; "
            "a file or row only together with its delivery",
        ) from None
    if waiver.until < waiver.added.date():
        raise InputProblem("WAIVER", "waiver", "its last day has passed", "Give a day that lies ahead")
    return waiver


def add_waiver(home: Path, waiver: Waiver) -> None:
    """Append a waiver to the file, whole or not at all.

    Raises:
        InputProblem: WAIVER: a line of the file is broken, or the file cannot be written.

    """
    WAIVERS.add(home, waiver)


def waiver_frame(waivers: Iterable[Waiver]) -> pl.DataFrame:
    """Waivers as rows of ``lake.waiver``: what they cover and until when, not who gave them."""
    return (
        pl.DataFrame(
            [
                (waiver.check_id, waiver.delivery_id, waiver.file, waiver.row_number, waiver.until.isoformat())
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
