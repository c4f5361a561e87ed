"""The audit makes statistics again without Dagster: they are those of the release, table by table."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
from polars.testing import assert_frame_equal

from assets.audit.rebuild import rebuild
from assets.audit.release_inputs import exact_frames
from assets.deliveries.landing import share
from assets.publication.release import current_release

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipelines.conftest import Installation


def test_a_rebuilt_release_has_the_statistics_of_the_release(network: Installation, tmp_path: Path) -> None:
    home, out = network.home, tmp_path / "out"
    out.mkdir()
    again = replace(home, path=tmp_path / "home")
    shutil.copytree(home.lake, again.lake, copy_function=share)
    shutil.copytree(home.path / "audit", again.path / "audit")
    rebuild(again, out)
    release = current_release(home)
    assert release is not None
    released = exact_frames(home, release)
    rebuilt = {path.stem: pl.read_parquet(path) for path in out.glob("*.parquet")}
    assert set(rebuilt) == set(released)
    for name, frame in released.items():
        assert_frame_equal(rebuilt[name], frame, check_row_order=False, check_exact=True)
