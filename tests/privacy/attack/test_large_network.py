"""The attack on a network of thousands of patients, which takes minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.contract import CONTRACT
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.home import Home
from assets.privacy.disclosure.profiles import INTERNAL
from assets.simulation.network import simulate_network
from pipelines.runner import run
from pipelines.settings import HOME_VARIABLE
from tests.privacy.attack.conftest import Release
from tests.privacy.attack.judge import PROGRAMS, ROUNDED, attack, found, truth_of
from tests.privacy.attack.site_reader import read_tables

if TYPE_CHECKING:
    from pathlib import Path

PATIENTS = 6_000


@pytest.mark.truth
def test_no_hidden_group_can_be_found_in_a_network_of_six_thousand_patients_with_months(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Months are charted and counts go into the hundreds, which the small network has not."""
    simulate_network(tmp_path / "feed", patients=PATIENTS, seed=20260701, contract=CONTRACT, dated=True)
    home = Home(tmp_path / "home", memory_limit="2GB")
    monkeypatch.setenv(HOME_VARIABLE, str(home.path))
    profile = load_profile(PROFILE_FOLDER / "canonical_dates.yaml", CONTRACT)
    feeds = sorted(path for path in (tmp_path / "feed").iterdir() if path.is_dir())
    assert run(home, feeds, profile, lambda _: None).released
    release = Release(home.current.resolve())
    made = attack(ROUNDED, read_tables(release.site))
    assert len(made.targets()) > 5_000
    made.solve(INTERNAL.width, PROGRAMS)
    assert found(made, INTERNAL.width, truth_of(release)) == []
