"""The proof of detection in small: some nights, some faults. The whole of it is a run of ``detection``, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.contract import CONTRACT
from assets.contract.drift import SUFFIX
from assets.simulation.faults import faults
from assets.simulation.night_faults import night_faults
from tests.truth.detection import row_faults, whole_nights
from tests.truth.night_stage import Stage, open_stage

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.truth
LAST = 14
EVERY = 12
SURE = ("delivery_missing", "pain_in_tens", "no_scores", "names_added", "code_never_used", "events_file_missing")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp("nights")
    return open_stage(folder, folder / "scratch", last=LAST)


def test_nights_without_faults_are_no_drift(stage: Stage) -> None:
    alarms = {check for check, _ in stage.until(LAST).alarms}
    assert not [check for check in alarms if SUFFIX in check.split(".")]


def test_faults_of_single_rows_are_named_and_nothing_else(stage: Stage) -> None:
    found = list(row_faults(stage, faults(CONTRACT, typed=False)[::EVERY], [LAST]))
    assert len(found) > 20
    assert [one.fault for one in found if (one.caught, one.named) != (one.planted, one.planted)] == []


def test_faults_of_whole_nights_are_found_in_their_night(stage: Stage) -> None:
    found = list(whole_nights(stage, [fault for fault in night_faults() if fault.name in SURE], [LAST]))
    assert {one.fault: one.after for one in found} == dict.fromkeys(SURE, 0)


def test_a_night_without_a_fault_is_told_from_one_with(stage: Stage, tmp_path: Path) -> None:
    """The judge says the same of the same night twice, so that a difference is the fault."""
    again = open_stage(stage.whole.home.path.parent, tmp_path / "scratch", last=LAST)
    assert again.until(LAST) == stage.until(LAST)
