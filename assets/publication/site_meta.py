"""What the pages of a release say about it, from its published tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.contract import CONTRACT
from assets.privacy.disclosure import MINIMUM_GROUP
from assets.quality.catalogue import all_checks, violated_sql
from assets.quality.results import Status
from dashboards.pages.catalogue import CheckPage
from dashboards.site import SiteMeta

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    checks = frames["check_summary"].filter(pl.col("status") != Status.NOT_APPLICABLE.value)["status"]
    deliveries = frames["conservation"]
    return SiteMeta(
        title="Clinic outcomes",
        stamp=str(deliveries["extract_stamp"].max() or ""),
        code_version=code,
        contract_version=CONTRACT.version,
        checks_total=len(checks),
        checks_passed=checks.is_in(PASSED).to_list().count(True),
        warnings=checks.to_list().count(Status.WARN.value),
        is_simulated=bool(deliveries["label"].str.starts_with(SIMULATED).any()),
        minimum_group=MINIMUM_GROUP,
        release=release,
    )


def check_pages(contract: Contract) -> tuple[CheckPage, ...]:
    """What the pages about checks say: ``SiteMeta.catalogue``."""
    return tuple(CheckPage(check, violated_sql(contract, check) or "") for check in all_checks(contract))
