"""What the pages of a release say about it, from its published tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from assets.contract import CONTRACT
from assets.privacy.disclosure import MINIMUM_GROUP
from assets.quality.catalogue import all_checks, violated_sql
from assets.quality.results import Status
from dashboards.pages.catalogue import CheckPage
from dashboards.site import SiteMeta

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

    from assets.contract.model import Contract

PASSED = (Status.PASS.value, Status.PASS_WITH_VIOLATIONS.value)
SIMULATED = "simulated"
"""How the label of a delivery begins that no patient is behind."""


def site_meta(frames: Mapping[str, pl.DataFrame], release: str, code: str) -> SiteMeta:
    """Return the words of a release for every page of its whole site.

    Args:
        frames: All its published tables.
        release: Its id.
        code: Version of the code that made it.

    """
    deliveries = frames["conservation"]
    meta = SiteMeta(
        title="Clinic outcomes",
        stamp=str(deliveries["extract_stamp"].max() or ""),
        code_version=code,
        contract_version=CONTRACT.version,
        checks_total=0,
        checks_passed=0,
        warnings=0,
        is_simulated=bool(deliveries["label"].str.starts_with(SIMULATED).any()),
        minimum_group=MINIMUM_GROUP,
        release=release,
    )
    return counted(meta, frames["check_summary"]["status"])


def counted(meta: SiteMeta, statuses: Iterable[str]) -> SiteMeta:
    """Count checks by how they ended; those without anything to look at are left out."""
    counts = Counter(status for status in statuses if status != Status.NOT_APPLICABLE.value)
    passed = sum(counts[status] for status in PASSED)
    return replace(meta, checks_total=counts.total(), checks_passed=passed, warnings=counts[Status.WARN.value])


def check_pages(contract: Contract) -> tuple[CheckPage, ...]:
    """What the pages about checks say: ``SiteMeta.catalogue``."""
    return tuple(CheckPage(check, violated_sql(contract, check) or "") for check in all_checks(contract))
