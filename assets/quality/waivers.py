"""Waivers: who decided that rows set aside need not be corrected, which, why, and until when.

``HOME/waivers.jsonl`` only ever grows: one JSON object per line. A waiver releases no row from quarantine; it takes
the row off the list of what is to be done.
"""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Self

import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FILE = "waivers.jsonl"
SHORTEST_REASON = 10
LONGEST_TEXT = 500
FRAME_SCHEMA = pl.Schema(
    {
        "check_id": pl.String(),
        "delivery_id": pl.String(),
        "file": pl.String(),
        "row_number": pl.Int64(),
        "ends_on": pl.String(),
    }
)

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=SHORTEST_REASON, max_length=LONGEST_TEXT)]


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


def read_waivers(home: Path) -> tuple[Waiver, ...]:
    """Every waiver of a home, in the order in which they were added.

    Raises:
        InputProblem: WAIVER, naming the line that cannot be used.

    """
    path = home / FILE
    if not path.exists():
        return ()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise InputProblem("WAIVER", FILE, "the file cannot be read", "Check its permissions and encoding") from None
    return tuple(_parsed(line, number) for number, line in enumerate(lines, start=1) if line.strip())


def _parsed(line: str, number: int) -> Waiver:
    try:
        return Waiver.model_validate_json(line)
    except ValidationError as error:
        raise InputProblem(
            "WAIVER", f"{FILE}, line {number}", _said(error), "Correct this line; the file is never rewritten by us"
        ) from None


def _said(error: ValidationError) -> str:
    """Name the fields of ours without what they hold."""
    fields = sorted({str(fault["loc"][0]) for fault in error.errors() if fault["loc"]} & set(Waiver.model_fields))
    return f"not a waiver: {', '.join(fields)} cannot be used" if fields else "not a waiver"


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
            _said(error),
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
    read_waivers(home)
    line = (waiver.model_dump_json(exclude_none=True) + "\n").encode()
    try:
        descriptor = os.open(home / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        raise InputProblem("WAIVER", FILE, "the file cannot be written", "Check its permissions") from None


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
