"""What ``verify`` finds broken: where, and what is wrong there; never what stands in a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CHANGED = "it is not what was sealed"
MISSING = "it is gone"
UNSEALED = "nobody sealed it: it was added, or the end of the ledger was cut off"


@dataclass(frozen=True, slots=True)
class Broken:
    """One thing that is not as it was sealed. ``where`` is a file of the home, or a line of the ledger."""

    where: str
    what: str


def compared(place: str, sealed: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Broken]:
    """Every difference between the hashes of files as they were sealed and as they are, below ``place``."""
    for name in sorted({*sealed, *found}):
        if name not in found:
            yield Broken(f"{place}/{name}", MISSING)
        elif name not in sealed:
            yield Broken(f"{place}/{name}", UNSEALED)
        elif sealed[name] != found[name]:
            yield Broken(f"{place}/{name}", CHANGED)


def read_object(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file, None if there is none."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
