"""The ledger: one record per delivery, on disk beside its rows.

``HOME/lake/<delivery_id>/delivery.json`` says what came, when it was extracted, under which profile and contract it was
read, and what became of its rows. The raw files beside it and this record are the source of truth; every other table
can be rebuilt from them.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from assets.contract import CONTRACT
from assets.deliveries.problems import InputProblem
from assets.deliveries.versions import is_later

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


RECORD = "delivery.json"
DELIVERY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class State(StrEnum):
    """What became of a delivery."""

    LANDED = "landed"
    REJECTED = "rejected"
    TYPED = "typed"
    HELD = "held"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """One file as the clinic sent it. ``records`` is counted from its bytes, the header not among them."""

    name: str
    sha256: str
    size_bytes: int
    records: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing a clinic sent.

    Row counts are source rows: records of the files = ``ingested`` + ``out_of_scope`` (rows the profile does not
    select). ``row_checks`` lists, per table, the check of each bit of ``violations``. ``problem`` is our own sentence,
    without values. ``landed_at`` (UTC) and ``landed_by`` (account) say when and by whom it was first taken in; no table
    or page depends on them. ``compared_with`` are the deliveries
    that were there when it was looked at for a change of scale.
    """

    delivery_id: str
    label: str
    files: tuple[DeliveredFile, ...]
    extract_stamp: str
    profile: str
    profile_version: int
    profile_digest: str
    contract_version: str
    state: State = State.LANDED
    problem_code: str | None = None
    problem: str | None = None
    privacy_mode: str = "safe_harbor"
    landed_at: str = ""
    landed_by: str = ""
    ingested: int = 0
    out_of_scope: int = 0
    set_aside: int = 0
    rows: Mapping[str, int] = field(default_factory=dict)
    row_checks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    compared_with: tuple[str, ...] = ()

    @property
    def rejected(self) -> int:
        """Source rows refused with the whole delivery."""
        return self.ingested if self.state in (State.REJECTED, State.HELD) else 0

    @property
    def run_key(self) -> str:
        """One run per reading: the same content under a new profile or contract is read again."""
        return f"{self.delivery_id}-{self.profile_digest[:12]}-{self.contract_version}"

    def rejected_because(self, code: str, sentence: str) -> Delivery:
        """The same delivery, refused."""
        return replace(self, state=State.REJECTED, problem_code=code, problem=sentence)


class Ledger:
    """The records of all deliveries below one lake folder."""

    def __init__(self, lake: Path) -> None:
        """Use the lake at ``lake``, which need not exist yet."""
        self.lake = lake

    @property
    def home(self) -> Path:
        """The home the lake belongs to."""
        return self.lake.parent

    def folder(self, delivery_id: str) -> Path:
        """Where everything about one delivery lives."""
        return self.lake / delivery_id

    def save(self, delivery: Delivery) -> None:
        """Write a record; a reader sees the old one or the new one."""
        folder = self.folder(delivery.delivery_id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_delivery(folder, delivery)

    def find(self, delivery_id: str) -> Delivery | None:
        """Return the record of a delivery, or None; what cannot be the id of one is never a path."""
        if not DELIVERY_ID.fullmatch(delivery_id):
            return None
        path = self.folder(delivery_id) / RECORD
        return read_record(path) if path.exists() else None

    def all(self) -> tuple[Delivery, ...]:
        """Every record, by extract stamp, then id: the order in which later rows replace earlier ones."""
        # what begins with a dot is being copied or thrown away
        records = (read_record(path) for path in self.lake.glob(f"[!.]*/{RECORD}"))
        return tuple(sorted(records, key=lambda delivery: (delivery.extract_stamp, delivery.delivery_id)))


def write_delivery(folder: Path, delivery: Delivery) -> None:
    """Write the record of a delivery into its folder; a reader sees the old one or the new one."""
    temporary = folder / f"{RECORD}.tmp"
    temporary.write_text(json.dumps(asdict(delivery), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    temporary.replace(folder / RECORD)


def read_record(path: Path) -> Delivery:
    """Read the record of a delivery.

    Raises:
        InputProblem: RECORD: it is none, or a later version of this program wrote it.

    """
    where = f"lake/{path.parent.name}/{path.name}"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content["contract_version"]
        if is_later(version, CONTRACT.version):
            raise InputProblem(
                "RECORD",
                where,
                "the delivery was read by a later version of this program",
                "Use that version, or a later one",
            )
        return _delivery(content)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputProblem(
            "RECORD", where, "it is not the record of a delivery", "Put the record of your last backup back"
        ) from None


def _delivery(content: dict[str, Any]) -> Delivery:
    content["files"] = tuple(DeliveredFile(**file) for file in content["files"])
    content["state"] = State(content["state"])
    content["compared_with"] = tuple(content.get("compared_with", ()))  # contract version 1 did not compare
    content["row_checks"] = {table: tuple(checks) for table, checks in content["row_checks"].items()}
    return Delivery(**content)
