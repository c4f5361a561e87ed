"""``needlepoint quarantine retry``: which deliveries are read again, and under which profile.

A delivery is landed again from its own raw copies. Under the profile and contract it was read with, nothing could come
out differently, so that it is left alone.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from assets.contract import CONTRACT
from assets.deliveries.landing import INCOMING, KEPT, PROFILE_NAME, Sent, land, share, source_of
from assets.deliveries.ledger import State
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import find_profile, load_profile
from assets.quality.quarantine import TO_DO
from pipelines.quarantine import quarantine_entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assets.deliveries.ledger import Delivery
    from assets.deliveries.profile import Profile
    from assets.home import Home


@dataclass(frozen=True, slots=True)
class Retry:
    """A delivery, the profile it would be read with now, and whether that or the contract has changed."""

    delivery: Delivery
    profile: Profile

    @property
    def is_changed(self) -> bool:
        """Whether reading again could come out differently."""
        now = (self.profile.digest, CONTRACT.version)
        return (self.delivery.profile_digest, self.delivery.contract_version) != now


def retries(home: Home, delivery_ids: Sequence[str] = ()) -> tuple[Retry, ...]:
    """The named deliveries, or else all with entries that wait, each with its profile as it is now.

    The profile is ``HOME/profiles/<name>.yaml``, or the shipped one of that name; for a delivery that has to be read
    again because the contract has changed, else the one it was read with.

    Raises:
        InputProblem: DELIVERY: an id that is not known or of a refused delivery; or a profile that is missing or cannot
            be used.

    """
    wanted = list(dict.fromkeys(delivery_ids)) or _waiting(home)
    found = {delivery_id: home.ledger.find(delivery_id) for delivery_id in wanted}
    if not all(found.values()):
        raise InputProblem("DELIVERY", "retry", "no delivery has this id", "Ids are in `needlepoint quarantine list`")
    for delivery in found.values():
        if delivery is not None and delivery.state is State.REJECTED:
            raise InputProblem(
                "DELIVERY", delivery.label, "this delivery was refused and nothing of it was kept", "Send it again"
            )
    return tuple(Retry(delivery, _profile_now(home, delivery)) for delivery in found.values() if delivery is not None)


def land_again(home: Home, retry: Retry) -> tuple[Delivery, bool]:
    """Land a delivery from its raw copies under its present profile; see ``landing.land``."""
    raw = home.ledger.folder(retry.delivery.delivery_id) / "raw"
    files = tuple((source_of(file.name, retry.profile), raw / file.name) for file in retry.delivery.files)
    return land(Sent(retry.delivery.label, files), retry.profile, CONTRACT.version, home.ledger)


class Kept:
    """The present reading of a delivery, set by until a new one has succeeded.

    A refused delivery is not kept, raw files included, because it can be sent again. Here the raw files in the lake may
    be the only ones there are.
    """

    def __init__(self, home: Home, delivery: Delivery) -> None:
        """Share the files of the delivery's folder by hard links; nothing in it is ever changed in place."""
        self._folder = home.ledger.folder(delivery.delivery_id)
        self._place = Path(tempfile.mkdtemp(prefix=INCOMING, dir=home.lake))
        # it has its name only while it is whole: after a crash the next run puts back what has this name
        shutil.copytree(self._folder, self._place / "copying", copy_function=share)
        (self._place / "copying").rename(self._place / KEPT)

    def restore(self) -> None:
        """Put the reading back."""
        shutil.rmtree(self._folder)
        (self._place / KEPT).replace(self._folder)

    def drop(self) -> None:
        """Forget it."""
        if (self._place / KEPT).exists():
            (self._place / KEPT).rename(self._place / "dropped")
        shutil.rmtree(self._place, ignore_errors=True)


def _profile_now(home: Home, delivery: Delivery) -> Profile:
    try:
        return find_profile(delivery.profile, home.profiles, CONTRACT)
    except InputProblem:
        saved = home.ledger.folder(delivery.delivery_id) / PROFILE_NAME
        is_there = (home.profiles / f"{delivery.profile}.yaml").exists()  # and cannot be used: that is to be said
        if is_there or delivery.contract_version == CONTRACT.version or not saved.exists():
            raise
        return load_profile(saved, CONTRACT)


def _waiting(home: Home) -> list[str]:
    entries = quarantine_entries(home, TO_DO)
    return sorted(entries.get_column("delivery_id").unique().cast(pl.String).to_list())
