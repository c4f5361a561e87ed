"""The landing folder: what has arrived whole is read once; what is still being copied is left alone."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from assets.audit.ledger import append
from assets.contract import CONTRACT
from assets.deliveries.ledger import State
from assets.home import Home
from assets.simulation.network import simulate_network
from pipelines.sensors import decided_deliveries, new_deliveries

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    place = Home(tmp_path / "home", memory_limit="1GB")
    place.create()
    return place


def arrive(home: Home, profile: str = "canonical", *, age_seconds: float = 3600) -> None:
    """Copy a small delivery into the landing folder of a profile, last written some time ago."""
    simulate_network(home.landing / profile, patients=20, seed=5, contract=CONTRACT, clean=True, sources=1)
    then = time.time() - age_seconds
    for path in (home.landing / profile).rglob("*"):
        os.utime(path, (then, then))


def look(home: Home) -> dg.SensorResult | dg.SkipReason:
    with (
        dg.instance_for_test() as instance,
        dg.build_sensor_context(instance=instance, resources={"home": home}) as context,
    ):
        return new_deliveries(context)


def test_a_whole_delivery_starts_one_run_of_its_own_partition(home: Home) -> None:
    arrive(home)
    result = look(home)
    assert isinstance(result, dg.SensorResult)
    (request,) = result.run_requests or []
    (delivery,) = home.ledger.all()
    assert request.partition_key == delivery.delivery_id
    assert str(request.run_key).startswith(delivery.delivery_id)
    assert [list(added.partition_keys) for added in result.dynamic_partitions_requests or []] == [
        [delivery.delivery_id]
    ]


def test_what_was_landed_is_not_copied_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    arrive(home)
    with (
        dg.instance_for_test() as instance,
        dg.build_sensor_context(instance=instance, resources={"home": home}) as context,
    ):
        assert isinstance(new_deliveries(context), dg.SensorResult)
        monkeypatch.setattr("pipelines.sensors.land", lambda *_: pytest.fail("copied twice"))
        with dg.build_sensor_context(instance=instance, resources={"home": home}, cursor=context.cursor) as later:
            assert isinstance(new_deliveries(later), dg.SkipReason)


def test_a_delivery_still_being_copied_is_left_alone(home: Home) -> None:
    arrive(home, age_seconds=0)
    assert isinstance(look(home), dg.SkipReason)
    assert home.ledger.all() == ()


def test_an_empty_landing_folder_is_nothing_new(home: Home) -> None:
    assert isinstance(look(home), dg.SkipReason)


def test_no_landing_folder_yet(tmp_path: Path) -> None:
    assert isinstance(look(Home(tmp_path / "nowhere", memory_limit="1GB")), dg.SkipReason)


def test_an_unknown_profile_is_said_and_stops_nothing_else(home: Home) -> None:
    arrive(home, "no_such_profile")
    result = look(home)
    assert isinstance(result, dg.SkipReason)
    assert "there is no profile of this name" in str(result.skip_message)
    arrive(home)
    assert isinstance(look(home), dg.SensorResult)


def test_what_cannot_be_landed_is_said_once_and_stops_nothing_else(
    home: Home, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arrive(home)
    (folder,) = (path for path in (home.landing / "canonical").iterdir() if path.is_dir())
    folder.rename(folder.with_name("<b>a name"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "visit.csv").write_text("visit_key\n", encoding="utf-8")
    for name, target in (("link", tmp_path / "elsewhere"), ("dangling", tmp_path / "nothing")):
        link = home.landing / "canonical" / name
        link.symlink_to(target)
        os.utime(link, (0, 0), follow_symlinks=False)
    with dg.instance_for_test() as instance:
        with dg.build_sensor_context(instance=instance, resources={"home": home}) as context:
            first = new_deliveries(context)
        said = [line for line in capfd.readouterr().err.splitlines() if "Not landed: " in line]
        assert sum("this is a symbolic link" in one for one in said) == 2
        assert sum("its name begins with something other" in one for one in said) == 1
        assert "<b>" not in "".join(said)
        assert isinstance(first, dg.SkipReason)
        assert home.ledger.all() == ()
        with dg.build_sensor_context(instance=instance, resources={"home": home}, cursor=context.cursor) as later:
            again = new_deliveries(later)
        assert isinstance(again, dg.SkipReason)
        assert "this is a symbolic link" in str(again.skip_message)
        assert "Not landed: " not in capfd.readouterr().err
        arrive_again = home.landing / "canonical" / "whole_20260701T020000Z"
        (home.landing / "canonical" / "<b>a name").rename(arrive_again)
        with dg.build_sensor_context(instance=instance, resources={"home": home}, cursor=later.cursor) as last:
            assert isinstance(new_deliveries(last), dg.SensorResult)
        assert "<b>" not in str(last.cursor), "what is gone is forgotten"


def test_what_vanishes_while_it_is_looked_at_is_no_delivery(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    arrive(home)

    def gone(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr("pathlib.Path.rglob", gone)
    assert isinstance(look(home), dg.SkipReason)


def test_a_decision_about_a_held_delivery_starts_one_run(home: Home) -> None:
    arrive(home)
    look(home)
    (delivery,) = home.ledger.all()
    with dg.build_sensor_context(resources={"home": home}) as context:
        home.ledger.save(replace(delivery, state=State.HELD, problem_code="CHECK"))
        assert isinstance(decided_deliveries(context), dg.SkipReason)
        append(home.path, "waiver", {"check_id": "visit.rows.usable", "lifts": "hold"})
        found = decided_deliveries(context)
    assert isinstance(found, dg.SensorResult)
    (request,) = found.run_requests or []
    assert (request.run_key, request.partition_key) == (f"{delivery.run_key}-1", delivery.delivery_id)
