"""Compares the header of a file with its profile, by name."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.deliveries.problems import InputProblem, said_column

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

OTHER_DELIMITERS = ",;\t|"
SIMILAR = 0.6


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of a profile: ``needed`` ones must be there, ``optional`` and ``ignored`` ones may."""

    needed: AbstractSet[str]
    optional: AbstractSet[str]
    ignored: AbstractSet[str]


def check_header_line(header: tuple[str, ...], columns: Columns, name: str, delimiter: str) -> None:
    """Refuse a file whose first record is no header, or one of another delimiter.

    Raises:
        InputProblem: DELIMITER or HEADER.

    """
    where = f"{name}, header"
    known = columns.needed | columns.ignored | columns.optional
    if len(header) == 1 and len(known) > 1:
        other = next((d for d in OTHER_DELIMITERS if d != delimiter and d in header[0]), None)
        if other:
            raise InputProblem(
                "DELIMITER",
                where,
                f"fields are not separated by {delimiter!r}",
                f"Declare delimiter: {other!r} in the profile if that is what this source sends",
            )
    if not set(header) & known:
        raise InputProblem("HEADER", where, "none of the expected columns is there", "Send a file with a header line")


def compare_header(header: tuple[str, ...], columns: Columns, name: str) -> None:
    """Refuse a file whose columns are not those of the profile.

    Raises:
        InputProblem: SCHEMA_DUPLICATE, SCHEMA_MISSING or SCHEMA_EXTRA.

    """
    where = f"{name}, header"
    for position, column in enumerate(header, start=1):
        if column in header[: position - 1]:
            raise InputProblem(
                "SCHEMA_DUPLICATE",
                where,
                f"{said_column(column, position)} occurs more than once",
                "Send each column once",
            )
    _compare_names(header, columns.needed, columns.needed | columns.ignored | columns.optional, where)


def _compare_names(header: tuple[str, ...], expected: AbstractSet[str], known: AbstractSet[str], where: str) -> None:
    missing = sorted(expected - set(header))
    extra = [(position, column) for position, column in enumerate(header, start=1) if column not in known]
    if missing:
        near = difflib.get_close_matches(missing[0], [column for _, column in extra], n=1, cutoff=SIMILAR)
        renamed = extra[0][1] if len(missing) == len(extra) == 1 else next(iter(near), None)
        position = next((position for position, column in extra if column == renamed), 0)
        said = f"; {said_column(renamed, position)} may be its new name" if renamed else ""
        raise InputProblem(
            "SCHEMA_MISSING",
            where,
            f"column {missing[0]!r} is missing{said}",
            "Send it under the agreed name or change the profile",
        )
    for position, column in extra:
        raise InputProblem(
            "SCHEMA_EXTRA",
            where,
            f"{said_column(column, position)} is not in the profile",
            "Leave it out or list it under 'ignored' in the profile",
        )
