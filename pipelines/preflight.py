"""``needlepoint check``: what would happen to a feed, found in a folder that is thrown away."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from assets.contract import CONTRACT
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.ledger import Delivery, Ledger, State
from assets.deliveries.reading import read_delivery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assets.deliveries.profile import Profile


@dataclass(frozen=True, slots=True)
class Finding:
    """One delivery and, per file and check, how many rows would be set aside and where the first is."""

    delivery: Delivery
    set_aside: tuple[tuple[str, str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What would happen to a feed."""

    deliveries: tuple[Finding, ...]

    @property
    def all_refused(self) -> bool:
        """Whether nothing of the feed could be used."""
        return all(finding.delivery.state is State.REJECTED for finding in self.deliveries)

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        return {
            "deliveries": [
                {
                    "label": finding.delivery.label,
                    "ingested": finding.delivery.ingested,
                    "set_aside": finding.delivery.set_aside,
                    "refused": finding.delivery.problem,
                    "checks": [
                        {"file": file, "check_id": check, "rows": rows, "first_row": first}
                        for file, check, rows, first in finding.set_aside
                    ],
                }
                for finding in self.deliveries
            ]
        }

    def as_text(self) -> str:
        """For people."""
        lines = []
        for finding in self.deliveries:
            delivery = finding.delivery
            lines.append(f"{delivery.label}: {delivery.ingested:,} rows, {delivery.set_aside:,} would be set aside")
            if delivery.problem:
                lines.append(f"  would be refused: {delivery.problem}")
            for file, check, rows, first in finding.set_aside:
                where = f"row {first}" if rows == 1 else f"first in row {first}"
                lines.append(f"  {file}: {rows:,} x {check} ({where})")
        return "\n".join(lines)


def preflight(feeds: Sequence[Path], profile: Profile) -> Findings:
    """Read feeds in a temporary folder and say what would be refused or set aside.

    Raises:
        InputProblem: the call cannot be carried out.

    """
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder))
        return Findings(
            tuple(
                _finding(
                    read_delivery(land(sent, profile, CONTRACT.version, ledger)[0], ledger, profile, contract), ledger
                )
                for contract in (profile.extend(CONTRACT),)
                for sent in find_deliveries(feeds, profile)
            )
        )


def _finding(delivery: Delivery, ledger: Ledger) -> Finding:
    path = ledger.folder(delivery.delivery_id) / "quarantined" / "violation.parquet"
    if not path.exists():
        return Finding(delivery, ())
    lines = pl.read_parquet(path)
    counts = Counter(zip(lines["file"], lines["check_id"], strict=True))
    first: dict[tuple[str, str], int] = {}
    for file, check, row in lines.select("file", "check_id", "row_number").iter_rows():
        first.setdefault((file, check), row)
    return Finding(
        delivery, tuple((file, check, rows, first[file, check]) for (file, check), rows in sorted(counts.items()))
    )
