"""A small release out of sample frames, and its bundles, written once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.publication.audiences import AUDIENCES
from assets.publication.bundles import Release, write_bundles
from assets.publication.public_tables import for_everybody
from dashboards.pages.evidence import FILES, PACKS, pack_name
from dashboards.pages.frame import SiteMeta
from tests.dashboards import sample_frames, trail_frames

if TYPE_CHECKING:
    from pathlib import Path

OWN, PEERS = "Harbour", ("Northgate", "Oakwood", "Station Road")
RELEASE = "0123456789ab"


def of_clinics(frames: dict[str, pl.DataFrame], clinics: tuple[str, ...]) -> dict[str, pl.DataFrame]:
    """The frames with rows of these clinics only, and of the network."""
    gone = [key for key in sample_frames.CLINICS if key not in clinics]
    found = {}
    for name, frame in frames.items():
        if "clinic_key" in frame.columns:
            found[name] = frame.filter(~pl.col("clinic_key").is_in(gone).fill_null(value=False))
        elif "covariate" in frame.columns:
            found[name] = frame.filter(~pl.col("covariate").is_in([f"clinic_key={key}" for key in gone]))
        elif name == "conservation":
            labels = "|".join(key.lower() for key in clinics)
            found[name] = frame.filter(pl.col("label").str.replace("_", " ").str.contains(labels))
        else:
            found[name] = frame
    return found


def release_of(clinics: tuple[str, ...]) -> Release:
    frames = of_clinics(sample_frames.network(), clinics)
    frames["number_source"] = pl.DataFrame(
        [(name, "about", f"About {name}") for name in sorted(frames)],
        schema=["table_name", "kind", "source"],
        orient="row",
    )
    meta = SiteMeta("Clinic outcomes", "2026-10-31", "4f1c9a2", "1", 244, 236, 8, True, 11, release=RELEASE)  # noqa: FBT003
    return Release(
        frames=frames,
        public={
            "clinic": frames["clinic"],
            "recovery_by_condition": for_everybody(frames["recovery_by_condition"]),
        },
        run_log=trail_frames.frames(frames["check_summary"]),
        suppression_log={"suppression": pl.DataFrame({"table_name": ["pain_change"], "rows": [15]})},
        evidence_packs={f"{PACKS}/{pack_name(meta.stamp, RELEASE)}/{name}": b"{}" for name, _ in FILES},
        contract=CONTRACT,
        meta=meta,
    )


@pytest.fixture(scope="session")
def small_release() -> Release:
    return release_of((OWN, *PEERS))


@pytest.fixture(scope="session")
def bundles(small_release: Release, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folder of the bundle of each audience; of the clinics, that of one."""
    out = tmp_path_factory.mktemp("bundles")
    made = {}
    for audience in AUDIENCES:
        folders, _ = write_bundles(small_release, [audience], OWN if audience.one_per_clinic else None, out)
        (made[audience.name],) = folders
    return made
