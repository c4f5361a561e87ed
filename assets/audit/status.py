"""How the checks of a home stand: of the release in force, counted from the history, and what is held back since."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.audit.history import history, standing, summarise
from assets.contract import CONTRACT
from assets.contract.checks import Stage
from assets.deliveries.state import extended_contract, settled_deliveries
from assets.publication.holds import held_since
from assets.publication.in_force import held_back
from assets.publication.release import current_release
from assets.publication.run_log import read_runs
from assets.publication.site_meta import PASSED
from assets.quality.catalogue import all_checks
from assets.quality.results import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assets.contract.model import Contract
    from assets.home import Home


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand. ``counts`` are checks by their worst status, as on the quality page of the release in force.

    ``written`` are the same of the checks of the written files, which run when the page is made. ``release`` and
    ``judged_at`` are None before the first release, the counts empty if it is older than the history.
    ``held_by`` are the checks that hold the release now, with the start of the first run they have held without a
    break; ``held`` says the same in words, and which deliveries are held. ``thresholds`` are those the home decided.
    """

    release: str | None
    judged_at: str | None
    counts: dict[str, int]
    written: dict[str, int]
    held_by: dict[str, str]
    held: str
    thresholds: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def applied(counts: Mapping[str, int]) -> int:
    """How many checks had something to look at."""
    return sum(counts.values()) - counts.get(Status.NOT_APPLICABLE, 0)


def passed(counts: Mapping[str, int]) -> int:
    """How many checks neither warned nor failed."""
    return sum(counts.get(status, 0) for status in PASSED)


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
    before, written = ({}, {}) if run_id is None else _counts(standing(found, run_id), contract)
    return Standing(
        release,
        at.isoformat(timespec="seconds") if at else None,
        before,
        written,
        held_since(read_runs(home.path).records),
        held_back(home),
        dict(contract.thresholds),
    )


def _counts(judged: pl.LazyFrame, contract: Contract) -> tuple[dict[str, int], dict[str, int]]:
    """Checks by their worst status: those before the pages are made, and those of the written files."""
    is_written = pl.col("stage") == Stage.PUBLISHED
    names: dict[bool, list[str]] = {False: [], True: []}
    for check in all_checks(contract):
        names[check.stage is Stage.PUBLISHED].append(check.check_id)
    return summarise(judged.filter(~is_written), names[False]), summarise(judged.filter(is_written), names[True])
