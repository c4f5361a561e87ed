"""How the checks of a home stand: of the release in force, counted from the history, and what is held back since."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.audit.history import history, standing, summarise
from assets.contract import CONTRACT
from assets.deliveries.state import extended_contract, settled_deliveries
from assets.publication.holds import held_since
from assets.publication.in_force import held_back
from assets.publication.release import current_release
from assets.publication.run_log import read_runs
from assets.publication.site_meta import PASSED
from assets.quality.catalogue import all_checks
from assets.quality.results import Status

if TYPE_CHECKING:
    from assets.home import Home


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand. ``counts`` are checks by their worst status, as on the quality page of the release in force.

    ``release`` and ``judged_at`` are None before the first release, ``counts`` empty if it is older than the history.
    ``held_by`` are the checks that hold the release now, with the start of the first run they have held without a
    break; ``held`` says the same in words, and which deliveries are held. ``thresholds`` are those the home decided.
    """

    release: str | None
    judged_at: str | None
    counts: dict[str, int]
    held_by: dict[str, str]
    held: str
    thresholds: dict[str, float]

    @property
    def applied(self) -> int:
        """Checks that had something to look at."""
        return sum(self.counts.values()) - self.counts.get(Status.NOT_APPLICABLE, 0)

    @property
    def passed(self) -> int:
        """Checks that neither warned nor failed."""
        return sum(self.counts.get(status, 0) for status in PASSED)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self) | {"applied": self.applied, "passed": self.passed}


def status(home: Home) -> Standing:
    """Say how the checks of a home stand.

    Raises:
        InputProblem: the ledger or a profile cannot be used.

    """
    contract = extended_contract(CONTRACT, home.ledger, settled_deliveries(home.ledger))
    release = current_release(home)
    found = history(home)
    runs = (
        found.filter(pl.col("delivery_id").is_null(), pl.col("release") == pl.lit(release, pl.String()))
        .select(pl.col("run_id", "at").sort_by("number").last())
        .collect()
    )
    run_id, at = runs.row(0) if runs.height else (None, None)
    judged = standing(found, run_id) if run_id else None
    return Standing(
        release,
        at.isoformat(timespec="seconds") if at else None,
        {} if judged is None else summarise(judged, [check.check_id for check in all_checks(contract)]),
        held_since(read_runs(home.path).records),
        held_back(home),
        dict(contract.thresholds),
    )
