"""The life of a row that was set aside: what can become of it, and what to do about it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from assets.contract.checks import Kind

if TYPE_CHECKING:
    from assets.contract.checks import Check


class Status(StrEnum):
    """What has become of an entry of the quarantine."""

    OPEN = "open"
    EXPIRED = "expired"
    WAIVED = "waived"
    CORRECTED = "corrected"
    RE_INGESTED = "re_ingested"


TO_DO = (Status.OPEN, Status.EXPIRED)
"""Statuses of entries that somebody still has to deal with."""

STATUS_WORDS = {
    Status.OPEN: "open",
    Status.EXPIRED: "open again: its waiver has ended",
    Status.WAIVED: "waived: it need not be corrected",
    Status.CORRECTED: "corrected at the source",
    Status.RE_INGESTED: "taken in when the delivery was read again",
}


REMEDY = {
    Kind.SCHEMA: "Send the columns the profile names, or describe the new ones in the profile",
    Kind.TYPE: "Send the columns the profile names, or describe the new ones in the profile",
    Kind.USABLE: "Look at the checks that most of its rows violate: the unit, a code or a column has probably changed",
    Kind.STRUCTURE: "Write this record again, with as many fields as the header and quotes around text with separators",
    Kind.READABLE: "Send {column} as the profile says it is written, without words or units",
    Kind.REQUIRED: "Fill in {column}",
    Kind.PATTERN: "Send {column} in the agreed form",
    Kind.ALLOWED: "Send a known code in {column}, or add the code to the profile",
    Kind.POSSIBLE: "Correct {column} at the source",
    Kind.PLAUSIBLE: "Look at {column} at the source; nothing is set aside for it",
    Kind.ROW_RULE: "Correct whichever of the columns is wrong",
    Kind.UNIQUE: "Send one row for this key; copies that are the same in every column do no harm",
    Kind.REFERENCE: "Send the row that {column} names, or correct {column}",
    Kind.RULE: "Correct whichever of the rows is wrong",
    Kind.BEHAVIOUR: "Ask how these scores come about; nothing is set aside for it",
    Kind.VOLUME: "Make sure that the extract is whole and not sent twice",
}
KEY_REMEDY = "Send {column} as a key: letters, digits, dot, colon, dash and underscore, 64 at most, no blanks"


def remedy(check: Check, column: str = "") -> str:
    """What to do about a row that violates a check, in one sentence without a full stop.

    ``column`` is what the source calls the column, where that is known.
    """
    words = KEY_REMEDY if check.reason == "KEY_FORMAT" else REMEDY.get(check.kind, REMEDY[Kind.RULE])
    return words.format(column=column or check.column)
