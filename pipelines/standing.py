"""What Dagster is told of every asset beyond what its own module says: how old it may grow, and which code makes it.

Dagster knows one age for each asset: that of the last delivery from anybody. That one source among others has fallen
silent is told by alerts, which know how often each of them sends.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from assets.deliveries.problems import InputProblem
from assets.publication.release import code_version
from pipelines.alerting import whole_number
from pipelines.settings import ALERT_STALE_VARIABLE, DEFAULT_STALE_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

A_DAY = timedelta(days=1)


def with_standing(assets: Sequence[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """Give every asset a freshness policy and a code version.

    What has a partition for each delivery may be as old as a source may be silent before it is stale; what is made of
    all deliveries a day older, for a release is built the morning after. Where an asset names no version of its code it
    is that of the whole program: whatever of it changes may change any table. Deliveries name the contract, for they
    are read again only under another one.
    """
    silent = _silent_days()
    arriving, made, code = freshness(silent), freshness(silent + 1), code_version()

    def stand(spec: dg.AssetSpec) -> dg.AssetSpec:
        policy = made if spec.partitions_def is None else arriving
        return spec.replace_attributes(freshness_policy=policy, code_version=spec.code_version or code)

    return [one.map_asset_specs(stand) for one in assets]


def freshness(days: int) -> dg.FreshnessPolicy:
    """Fails after so many days, and warns a day earlier where there is a day between."""
    warned = (days - 1) * A_DAY if days > 1 else None
    return dg.FreshnessPolicy.time_window(fail_window=days * A_DAY, warn_window=warned)


def _silent_days() -> int:
    """As set for alerts. A number that is none keeps no delivery waiting: the doctor and the next alerts name it."""
    try:
        return max(1, whole_number(ALERT_STALE_VARIABLE, DEFAULT_STALE_DAYS))
    except InputProblem:
        return DEFAULT_STALE_DAYS
