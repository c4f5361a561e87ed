"""The doctor: a sound installation has nothing wrong; every fault that is planted is named with what to do."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml
from click.testing import CliRunner

import pipelines.dagster_settings
import pipelines.doctor
from assets.audit.ledger import append
from assets.contract import CONTRACT
from assets.deliveries.ledger import Delivery, State
from assets.home import Home
from pipelines import doctor_packages
from pipelines.cli import cli
from pipelines.dagster_settings import EDITIONS, EMBEDDED, SERVER
from pipelines.doctor import examine
from pipelines.doctor_findings import Finding, Verdict, good, looked
from pipelines.one_writer import only_writer
from pipelines.settings import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW = datetime.now(UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home that is as a run leaves it, but empty."""
    for name in [name for name in os.environ if name.startswith(PREFIX) or name == "DAGSTER_HOME"]:
        monkeypatch.delenv(name)
    made = Home(tmp_path / "home", memory_limit="1GB")
    made.create()
    monkeypatch.setenv("NEEDLEPOINT_HOME", str(made.path))
    monkeypatch.setattr(pipelines.doctor, "SECRETS", tmp_path / "needlepoint.env")
    shutil.copyfile(EMBEDDED, made.dagster / "dagster.yaml")
    # the checkout may be newer than the packages of the machine it is tested on
    monkeypatch.setattr(pipelines.doctor, "packages", lambda: [good("not looked at")])
    return made


def wrongs() -> list[Finding]:
    return [one for one in examine() if one.verdict is Verdict.WRONG]


def test_sound_installation_has_nothing_wrong(home: Home) -> None:
    before = sorted(home.path.rglob("*"))
    found = examine()
    assert [str(one) for one in found if one.verdict is Verdict.WRONG] == []
    topics = "python packages settings secrets alerts chromium home disk permissions dagster postgresql clock writer"
    assert [one.topic for one in found] == [*topics.split(), "landing", "deliveries"]
    assert [path for path in sorted(home.path.rglob("*")) if path.name != ".lock"] == before


class Fault(NamedTuple):
    """A fault, where it is named, and words of the finding and of the remedy."""

    plant: Callable[[Home, pytest.MonkeyPatch], object]
    topic: str
    found: str
    to_do: str


def change(name: str, value: object) -> Callable[[Home, pytest.MonkeyPatch], None]:
    def plant(home: Home, _: pytest.MonkeyPatch) -> None:
        path = home.dagster / "dagster.yaml"
        settings: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        path.write_text(yaml.safe_dump(settings | {name: value}), encoding="utf-8")

    return plant


def leave_out(*names: str) -> Callable[[Home, pytest.MonkeyPatch], None]:
    def plant(home: Home, _: pytest.MonkeyPatch) -> None:
        path = home.dagster / "dagster.yaml"
        settings: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        kept = {name: value for name, value in settings.items() if name not in names}
        path.write_text(yaml.safe_dump(kept), encoding="utf-8")

    return plant


def link_in_landing(home: Home, _: pytest.MonkeyPatch) -> None:
    (home.landing / "canonical").mkdir()
    link = home.landing / "canonical" / "link"
    link.symlink_to("/")
    os.utime(link, (0, 0), follow_symlinks=False)


def earlier_settings(home: Home, patch: pytest.MonkeyPatch) -> None:
    """The settings of a version before this one, as it put them there."""
    text = EMBEDDED.read_text(encoding="utf-8").replace("max_retries: 2", "max_retries: 1")
    (home.dagster / "dagster.yaml").write_text(text, encoding="utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    patch.setattr(pipelines.dagster_settings, "EDITIONS", (digest, *EDITIONS))


def set_variable(name: str, value: str) -> Callable[[Home, pytest.MonkeyPatch], None]:
    return lambda _, patch: patch.setenv(name, value)


def readable_secrets(home: Home, _: pytest.MonkeyPatch) -> None:
    path = home.path.parent / "needlepoint.env"
    path.write_text("NEEDLEPOINT_POSTGRES_PASSWORD=x\n", encoding="utf-8")
    path.chmod(0o644)


def full_disk(_: Home, patch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    patch.setattr(pipelines.doctor.shutil, "disk_usage", lambda _: usage._replace(free=400_000_000))


def large_release(home: Home, _: pytest.MonkeyPatch) -> None:
    folder = home.releases / "one"
    folder.mkdir()
    with (folder / "warehouse.duckdb").open("wb") as file:
        file.truncate(10**12)  # holds nothing on the disk
    home.current.symlink_to("releases/one")


def skewed_disk(_: Home, patch: pytest.MonkeyPatch) -> None:
    real = pipelines.doctor.time.time
    patch.setattr(pipelines.doctor.time, "time", lambda: real() + 90)


def future_entry(home: Home, _: pytest.MonkeyPatch) -> None:
    append(home.path, "sign_off", {}, now=NOW + timedelta(days=2))


def broken_ledger(home: Home, _: pytest.MonkeyPatch) -> None:
    append(home.path, "sign_off", {})
    append(home.path, "sign_off", {})
    path = home.path / "audit" / "ledger.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("sign_off", "sign_on", 1), encoding="utf-8")


def delivery(age: timedelta, state: State = State.LANDED) -> Callable[..., None]:
    def plant(home: Home, *_: object) -> None:
        landed = (datetime.now(UTC) - age).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = Delivery("d1", "north", (), "20260701T020000Z", "canonical", 1, "x", CONTRACT.version, state)
        home.ledger.save(replace(made, landed_at=landed))

    return plant


def later_home(home: Home, _: pytest.MonkeyPatch) -> None:
    (home.path / "home.json").write_text('{"format": 99, "contract": "2"}', encoding="utf-8")


def foreign_part(home: Home, _: pytest.MonkeyPatch) -> None:
    (home.lake / "d1").mkdir()
    os.chown(home.lake / "d1", 12345, 12345)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
FAULTS = [
    Fault(set_variable("NEEDLEPOINT_THREADS", "two"), "settings", "NEEDLEPOINT_THREADS", "whole number"),
    Fault(set_variable("NEEDLEPOINT_SIGN_OFF", "netwrk"), "settings", "audience", "network"),
    Fault(set_variable("NEEDLEPOINT_SINGOFF", "network"), "settings", "NEEDLEPOINT_SINGOFF", "README"),
    Fault(set_variable("NEEDLEPOINT_ALERT_DIGEST_HOURS", "daily"), "alerts", "no whole number", "Give one"),
    Fault(set_variable("NEEDLEPOINT_ALERT_WEBHOOK", "nowhere"), "alerts", "NEEDLEPOINT_ALERT_WEBHOOK", ""),
    Fault(readable_secrets, "secrets", "every account may read", "chmod 600"),
    Fault(later_home, "home", "format 99", "later"),
    Fault(lambda home, _: home.path.chmod(0o755), "permissions", "0755", "chmod 700"),
    pytest.param(Fault(foreign_part, "permissions", "another account, in lake", "chown"), marks=needs_root),
    Fault(full_disk, "disk", "0.4 GB are free", "Make room"),
    Fault(large_release, "disk", "3,000.0 GB are wanted", "prune"),
    Fault(change("telemetry", {"enabled": True}), "dagster", "reports its use", "telemetry"),
    Fault(change("compute_logs", {}), "dagster", "values of rows", "compute_logs"),
    Fault(leave_out("concurrency", "run_retries"), "dagster", "lacks concurrency, run_retries", "Copy what is missing"),
    Fault(link_in_landing, "landing", "SYMLINK", "Name the file or folder itself"),
    Fault(earlier_settings, "dagster", "that of an earlier version", "`needlepoint upgrade`"),
    Fault(lambda h, _: (h.dagster / "dagster.yaml").write_text("a: [", "utf-8"), "dagster", "be read", "Copy"),
    Fault(set_variable("DAGSTER_HOME", "/elsewhere"), "dagster", "each other's runs", "Set DAGSTER_HOME="),
    Fault(skewed_disk, "clock", "another time", "network time"),
    Fault(future_entry, "clock", "lies in the future", "Set the clock"),
    Fault(broken_ledger, "clock", "ledger", ""),
    Fault(delivery(timedelta(days=2)), "deliveries", "1 left half read: north", "needlepoint unlock"),
    Fault(delivery(timedelta(days=2), State.TYPED), "deliveries", "1 left half read: north", "needlepoint unlock"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.topic}: {fault.found}")
def test_fault_is_named_with_what_to_do(home: Home, monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    fault.plant(home, monkeypatch)
    (found,) = wrongs()
    assert found.topic == fault.topic
    assert fault.found in found.found
    assert fault.to_do in found.to_do
    assert found.to_do


def of(topic: str) -> Finding:
    (found,) = (one for one in examine() if one.topic == topic)
    return found


def test_home_that_is_none(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEEDLEPOINT_HOME", str(home.path / "not" / "yet"))
    assert wrongs() == []
    assert of("home").verdict is Verdict.NOTE
    assert of("disk").verdict is Verdict.GOOD
    file = home.path / "file"
    file.touch()
    monkeypatch.setenv("NEEDLEPOINT_HOME", str(file))
    assert "is no folder" in of("home").found


def test_writer_and_what_it_is_still_reading_are_no_faults(home: Home) -> None:
    delivery(timedelta(days=2))(home)
    assert of("writer").verdict is Verdict.GOOD
    with only_writer(home, "a run of the test"):
        assert of("writer").verdict is Verdict.NOTE
        assert "a run of the test" in of("writer").found
        assert of("deliveries").verdict is Verdict.NOTE
        assert wrongs() == []
    assert [one.topic for one in wrongs()] == ["deliveries"]


@pytest.mark.parametrize(
    ("age", "state", "verdict"),
    [
        (timedelta(minutes=5), State.LANDED, Verdict.NOTE),
        (timedelta(days=9), State.ACCEPTED, Verdict.GOOD),
        (timedelta(days=9), State.HELD, Verdict.GOOD),
        (timedelta(days=9), State.REJECTED, Verdict.GOOD),
    ],
)
def test_delivery_that_is_settled_or_new_is_no_fault(
    home: Home, age: timedelta, state: State, verdict: Verdict
) -> None:
    delivery(age, state)(home)
    assert of("deliveries").verdict is verdict


def test_own_settings_of_dagster_are_noted(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    change("run_monitoring", {"enabled": False})(home, monkeypatch)
    assert of("dagster").verdict is Verdict.NOTE
    assert "run_monitoring" in of("dagster").found
    (home.dagster / "dagster.yaml").unlink()
    assert of("dagster").verdict is Verdict.NOTE


def test_settings_of_an_earlier_version_are_replaced_unless_somebody_changed_them(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hashlib.sha256(EMBEDDED.read_bytes()).hexdigest() == EDITIONS[-1], "a file that changes is a new edition"
    path = home.dagster / "dagster.yaml"
    earlier_settings(home, monkeypatch)
    assert of("dagster").verdict is Verdict.WRONG
    upgraded = CliRunner().invoke(cli, ["upgrade", "--home", str(home.path)])
    assert upgraded.exit_code == 0, upgraded.output
    assert "settings of Dagster are those of this version now" in upgraded.output
    assert path.read_bytes() == EMBEDDED.read_bytes()
    assert of("dagster").verdict is Verdict.GOOD
    earlier_settings(home, monkeypatch)
    own = path.read_text(encoding="utf-8") + "# ours\n"
    path.write_text(own, encoding="utf-8")
    again = CliRunner().invoke(cli, ["upgrade", "--home", str(home.path)])
    assert "settings of Dagster" not in again.output
    assert path.read_text(encoding="utf-8") == own
    assert of("dagster").verdict is Verdict.NOTE
    assert "run_retries" in of("dagster").found


def test_server_whose_secrets_are_not_set(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copyfile(SERVER, home.dagster / "dagster.yaml")
    assert of("dagster").verdict is Verdict.GOOD
    for part in ("HOST", "DB", "USER"):
        monkeypatch.setenv(f"NEEDLEPOINT_POSTGRES_{part}", "127.0.0.1")
    monkeypatch.setenv("NEEDLEPOINT_POSTGRES_PASSWORD", "")
    assert of("postgresql").found == "not set: NEEDLEPOINT_POSTGRES_PASSWORD, NEEDLEPOINT_POSTGRES_PORT"


def test_alerts_and_chromium(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert of("alerts").verdict is Verdict.NOTE
    monkeypatch.setenv("NEEDLEPOINT_ALERT_FILE", str(home.path / "alerts.jsonl"))
    assert of("alerts").found == "alerts go to 1 receiver"
    monkeypatch.setattr(pipelines.doctor.shutil, "which", lambda _: None)
    assert of("chromium").verdict is Verdict.NOTE
    monkeypatch.setattr(pipelines.doctor.shutil, "which", lambda name: name)
    assert of("chromium").verdict is Verdict.GOOD


def test_look_that_cannot_go_on_says_so() -> None:
    def look() -> Iterator[Finding]:
        yield good("one")
        raise PermissionError

    first, second = looked("disk", look)
    assert (first.verdict, second.verdict) == (Verdict.GOOD, Verdict.WRONG)
    assert second.topic == "disk"


def test_versions_are_compared() -> None:
    needed = doctor_packages.pins("yaml-of-nobody==1.0\nclick==8.5.1 ; python_version > '3'\n")
    assert needed == {"yaml-of-nobody": frozenset({"1.0"}), "click": frozenset({"8.5.1"})}
    missing, other = doctor_packages.judged(needed | {"click": frozenset({"1.0"})}, {})
    assert missing.found == "not installed: yaml-of-nobody"
    assert other.found.endswith(" instead of 1.0")
    here = {"click": frozenset({"0.1", doctor_packages.version("click")})}
    (fine,) = doctor_packages.judged(here, {"only-on-another-system": frozenset({"1"})})
    assert fine.verdict is Verdict.GOOD
    (locked,) = doctor_packages.judged({}, {"click": frozenset({"0.1"})})
    assert locked.verdict is Verdict.WRONG


def test_lock_is_read() -> None:
    locked = doctor_packages.pins(doctor_packages.LOCK.read_text(encoding="utf-8"))
    assert len(locked) > 100
    assert "duckdb" in locked


def test_packages_of_nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> list[str]:
        raise doctor_packages.PackageNotFoundError(name)

    monkeypatch.setattr(doctor_packages, "requires", unknown)
    (found,) = doctor_packages.packages()
    assert "not installed" in found.found


def test_old_python(monkeypatch: pytest.MonkeyPatch) -> None:
    (new,) = doctor_packages.python()
    assert new.verdict is Verdict.GOOD
    monkeypatch.setattr(doctor_packages, "PYTHON", (sys.version_info.major, sys.version_info.minor + 1))
    (old,) = doctor_packages.python()
    assert old.verdict is Verdict.WRONG


def test_verb_ends_with_1_if_something_is_wrong(home: Home) -> None:
    assert CliRunner().invoke(cli, ["doctor"]).exit_code == 0
    home.path.chmod(0o755)
    said = CliRunner().invoke(cli, ["doctor", "--home", str(home.path)])
    assert said.exit_code == 1
    assert f"wrong  permissions    others on this machine may open the home (0755). Call `chmod 700 {home.path}`." in (
        said.output
    )
    as_json = CliRunner().invoke(cli, ["doctor", "--json"])
    assert as_json.exit_code == 1
    found = json.loads(as_json.output)
    assert [one["topic"] for one in found if one["verdict"] == "wrong"] == ["permissions"]
