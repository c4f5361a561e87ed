"""Reads the release in force, with what goes to its bundles beside it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from assets.audit.ledger import inspected
from assets.audit.rolled_back import rolled_back
from assets.contract import CONTRACT
from assets.deliveries.problems import InputProblem
from assets.deliveries.state import extended_contract
from assets.publication.bundles import Release
from assets.publication.holds import held_words, rolled_back_words
from assets.publication.kept_warehouse import kept_warehouse
from assets.publication.public_tables import PUBLIC_TABLES
from assets.publication.publish import SUPPRESSION, TABLES, kept_tables
from assets.publication.quality_log import quality_frames
from assets.publication.release import code_version, current_release, next_release
from assets.publication.run_history import run_frames
from assets.publication.run_log import read_runs
from assets.publication.site_meta import check_pages, site_meta
from assets.quality.catalogue import all_checks
from dashboards.pages.evidence import PACKS

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import polars as pl

    from assets.home import Home

OUTDATED = "What has arrived or been decided since this release is not in these numbers."


def release_in_force(home: Home, today: date) -> Release:
    """Return what bundles are made of.

    Raises:
        InputProblem: there is no release, or other code made it: its tables may not be what the pages expect.

    """
    identity = current_release(home)
    if identity is None:
        raise InputProblem("NO_RELEASE", str(home.path), "there is no release yet", "Run `needlepoint run` first")
    folder = home.releases / identity
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if manifest["code_version"] != code_version():
        raise InputProblem(
            "OTHER_CODE",
            str(home.path),
            "another version of this program made the release in force",
            "Run `needlepoint run` with a feed, known or new, and publish then",
        )
    frames = kept_tables(folder / TABLES)
    deliveries = [home.ledger.find(one["delivery_id"]) for one in manifest["deliveries"]]
    contract = extended_contract(CONTRACT, home.ledger, [one for one in deliveries if one is not None])
    runs = read_runs(home.path)
    meta = site_meta(frames, identity, manifest["code_version"])
    return Release(
        frames=frames,
        public=kept_tables(folder / PUBLIC_TABLES),
        run_log=run_frames(runs, today) | quality_frames(home, identity, runs.records, today),
        suppression_log={SUPPRESSION: _suppression(home, folder)},
        evidence_packs=_files_below(home.path, home.path / PACKS),
        contract=contract,
        meta=replace(meta, banner=_banner(home, identity), catalogue=check_pages(contract)),
    )


def held_back(home: Home, release: str | None = None) -> str:
    """What is held back since the release in force, and whether an older one is; in words, empty if nothing is.

    ``release`` is the one that is about to be put in force, None for the one that is.
    """
    titles = {check.check_id: check.title for check in all_checks(CONTRACT)}
    # a ledger that is broken is for those who work with it; whoever reads a page still learns what is held
    back = rolled_back(inspected(home.path)[0], release or current_release(home))
    held = held_words(read_runs(home.path).records, home.ledger.all(), titles)
    return " ".join(filter(None, (rolled_back_words(back) if back else "", held)))


def _banner(home: Home, identity: str) -> str:
    """What a bundle says first: it is made once, and does not learn what happens later."""
    return " ".join(filter(None, (held_back(home), "" if next_release(home) == identity else OUTDATED)))


def _suppression(home: Home, release: Path) -> pl.DataFrame:
    """How many numbers disclosure control hid, in fives, of which table and why.

    Where each one stands, with its kind, stays in the warehouse: who knows that a number is hidden for its own sake,
    and its neighbour only for the sake of others, knows more of both.
    """
    with kept_warehouse(home, release.name) as connection:
        log: pl.DataFrame = connection.sql(
            f"select profile, table_name, kind, reason, cast(ceil(count(*) / 5.0) * 5 as bigint) as numbers "
            f"from audit.{SUPPRESSION} group by all order by all"
        ).pl()
    return log


def _files_below(root: Path, folder: Path) -> dict[str, bytes]:
    """Files of a folder by their place below ``root``; what is being written there has a hidden name."""
    found = {path.relative_to(root): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {
        place.as_posix(): path.read_bytes()
        for place, path in found.items()
        if not any(part.startswith(".") for part in place.parts)
    }
