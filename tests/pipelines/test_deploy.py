"""The files for servers: Dagster accepts them, the units run our commands, and nothing listens beyond this machine."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import time
import tomllib
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from click.testing import CliRunner
from dagster._core.instance.config import dagster_instance_config
from dagster._core.workspace.config_schema import process_workspace_config

from pipelines.cli import cli
from pipelines.settings import SETTINGS
from tests.pipelines.serving import unit_lines

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "pipelines" / "deploy"
ALERTS = DEPLOY / "systemd" / "needlepoint-alerts.service"
"""It is started by a timer and ends; the other units are there to stay."""
UNITS = sorted(path for path in (DEPLOY / "systemd").glob("*.service") if path != ALERTS)
STORAGE = ("storage", "event_log_storage")


def settings_of(name: str) -> dict[str, Any]:
    """Dagster's settings in a file, as they stand there."""
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    return loaded


def accepted(tmp_path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """What Dagster makes of settings."""
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    taken, _ = dagster_instance_config(str(tmp_path))
    return dict(taken)


@pytest.mark.parametrize("name", ["dagster.yaml", "server.yaml"])
def test_dagster_accepts_the_settings(tmp_path: Path, name: str) -> None:
    pytest.importorskip("dagster_postgres", reason="the extra `server` is not installed")
    taken = accepted(tmp_path, settings_of(name))
    assert taken["telemetry"] == {"enabled": False}
    assert taken["run_monitoring"]["enabled"] is True
    with pytest.raises(dg.DagsterInvalidConfigError):
        accepted(tmp_path, settings_of(name) | {"run_monitoring": {"enabledd": True}})


def test_server_differs_from_one_machine_in_storage_and_number_of_runs_only() -> None:
    server, embedded = settings_of("server.yaml"), settings_of("dagster.yaml")
    assert server["concurrency"].pop("runs") == {"max_concurrent_runs": 1}
    embedded["concurrency"].pop("runs", None)
    storage = {key: server.pop(key) for key in STORAGE if key in server}
    embedded.pop("event_log_storage")
    assert server == embedded
    database = storage["storage"]["postgres"]["postgres_db"]
    assert database["scheme"] == "postgresql+psycopg2"
    named = {part["env"] for part in database.values() if isinstance(part, dict) and "env" in part}
    assert named == {one.name for one in SETTINGS if one.name.startswith("NEEDLEPOINT_POSTGRES_")}


def test_workspace_is_a_socket_and_no_port() -> None:
    workspace = settings_of("workspace.yaml")
    process_workspace_config(workspace)
    assert workspace == {
        "load_from": [{"grpc_server": {"socket": "/run/needlepoint/code.sock", "location_name": "needlepoint"}}]
    }


def test_target_wants_every_unit() -> None:
    (wanted,) = unit_lines(DEPLOY / "systemd" / "needlepoint.target")["Wants"]
    assert sorted(wanted.split()) == [unit.name for unit in UNITS]
    assert len(UNITS) == 4


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_unit_is_private_and_comes_back(unit: Path) -> None:
    said = unit_lines(unit)
    assert said["User"] == ["needlepoint"]
    assert said["UMask"] == ["0077"]
    assert said["Restart"] == ["always"]
    assert said["NoNewPrivileges"] == ["yes"]
    assert said["ProtectSystem"] == ["strict"]
    assert said["EnvironmentFile"] == ["/etc/needlepoint/needlepoint.env"]
    assert "Environment" not in said  # settings stand in one place
    assert said["PartOf"] == ["needlepoint.target"]


def test_a_timer_of_its_own_tells_alerts() -> None:
    said, daemon = unit_lines(ALERTS), unit_lines(DEPLOY / "systemd" / "needlepoint-daemon.service")
    alike = set(daemon) - {"Description", "PartOf", "After", "Wants", "Type", "ExecStart"}
    alike -= {"Restart", "RestartSec", "StartLimitIntervalSec"}
    assert {name: said[name] for name in alike} == {name: daemon[name] for name in alike}
    assert said["Type"] == ["oneshot"]
    (command,) = said["ExecStart"]
    program, *verb = command.split()
    assert program.endswith("/bin/needlepoint")
    assert CliRunner().invoke(cli, [*verb, "--help"]).exit_code == 0
    assert CliRunner().invoke(cli, [verb[0], "shout", "--help"]).exit_code != 0
    assert "PartOf" not in said, "it outlives the daemon"
    assert unit_lines(ALERTS.with_suffix(".timer"))["OnUnitInactiveSec"] == ["10min"]
    assert ALERTS.with_suffix(".timer").name in (DEPLOY / "systemd" / "needlepoint.target").read_text(encoding="utf-8")


def on_path(folder: Path, name: str, script: str) -> None:
    """A program of this name that does as the script says."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def test_containers_tell_alerts_as_often_and_of_a_dead_daemon_too(tmp_path: Path) -> None:
    service = settings_of("compose.yaml")["services"]["alerts"]
    assert "depends_on" not in service, "it outlives the daemon"
    assert service["networks"] == settings_of("compose.yaml")["services"]["daemon"]["networks"]
    assert service["restart"] == "unless-stopped"
    *shell, script = service["command"]
    (command,) = unit_lines(ALERTS)["ExecStart"]
    assert f"needlepoint {command.partition('needlepoint ')[2]}" in script
    assert re.findall(r"(?:timeout|sleep) (\d+)", script) == ["600", "600"], "as the timer and the unit say"

    told, said = tmp_path / "told", tmp_path / "said"
    on_path(tmp_path, "needlepoint", f'echo "$@" >> {said}; test "$(wc -l < {said})" -gt 1')  # the first time it fails
    on_path(
        tmp_path, "sleep", f'test -e {told}; echo "$?" >> {said}.told; test "$(wc -l < {said})" -lt 3 || kill $PPID'
    )
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    (_, look) = service["healthcheck"]["test"]

    def is_healthy() -> bool:
        line = look.replace("/tmp/told", str(told))  # noqa: S108 the container's own
        return subprocess.run(["/bin/sh", "-c", line], env=path, capture_output=True, check=False).returncode == 0  # noqa: S603

    assert not is_healthy()
    script = script.replace("/tmp/told", str(told))  # noqa: S108 the container's own
    subprocess.run([*shell, script], env=path, check=False, timeout=60)  # noqa: S603 our own words
    assert said.read_text().splitlines() == ["alerts send"] * 3, "it goes on after a failure"
    assert Path(f"{said}.told").read_text().split() == ["1", "0", "0"]
    assert is_healthy()
    os.utime(told, (time.time() - 1900,) * 2)
    assert not is_healthy()


def commands() -> list[list[str]]:
    """What units and containers start, without the folder of the program."""
    lines = [
        line for unit in UNITS for name in ("ExecStartPre", "ExecStart") for line in unit_lines(unit).get(name, [])
    ]
    made = [shlex.split(line) for line in lines]
    services = settings_of("compose.yaml")["services"]
    made += [services[name]["command"] for name in ("daemon", "webserver", "review")]
    script = services["code"]["command"][-1].replace("exec ", "")
    made += [shlex.split(part) for part in script.split("&&") if part.strip().startswith("dagster")]
    return [[Path(one[0]).name, *one[1:]] for one in made]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_commands_and_their_options_exist(command: list[str]) -> None:
    from dagster._cli import create_dagster_cli  # noqa: PLC0415
    from dagster._daemon.cli import create_dagster_daemon_cli  # noqa: PLC0415
    from dagster_webserver.cli import dagster_webserver  # noqa: PLC0415

    found: Any = {
        "dagster": create_dagster_cli,
        "dagster-daemon": create_dagster_daemon_cli,
        "dagster-webserver": lambda: dagster_webserver,
    }[command[0]]()
    words = command[1:]
    while words and hasattr(found, "commands"):
        found = found.commands[words.pop(0)]
    said = CliRunner().invoke(found, ["--help"]).output
    for word in words:
        assert not word.startswith("--") or word in said, word


def test_same_commands_in_units_and_containers() -> None:
    short = [[word.removeprefix("/opt/needlepoint/") for word in one] for one in commands()]
    half = len(short) // 2
    assert sorted(short[:half]) == sorted(short[half:])


@pytest.mark.parametrize("command", [one for one in commands() if one[0] == "dagster-webserver"], ids=" ".join)
def test_web_servers_listen_on_this_machine_only(command: list[str]) -> None:
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert ("--read-only" in command) == (command[command.index("--port") + 1] == "3001")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
@pytest.mark.parametrize("unit", [*UNITS, ALERTS], ids=lambda unit: unit.stem)
def test_systemd_knows_every_word_of_a_unit(tmp_path: Path, unit: Path) -> None:
    def complaints(text: str) -> list[str]:
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
        said = subprocess.run(  # noqa: S603 our own file
            [str(shutil.which("systemd-analyze")), "verify", "--man=no", str(tmp_path / unit.name)],
            capture_output=True,
            text=True,
            check=False,
        ).stderr
        # the programs are installed on the server, not here
        return [line for line in said.splitlines() if unit.name in line and "is not executable" not in line]

    text = unit.read_text(encoding="utf-8")
    assert complaints(text) == []
    assert complaints(text.replace("UMask", "UMaskk"))


def test_containers_publish_the_proxy_only() -> None:
    services = settings_of("compose.yaml")["services"]
    assert [name for name, one in services.items() if "ports" in one] == ["proxy"]
    assert {services[name]["network_mode"] for name in ("webserver", "review")} == {"service:proxy"}
    assert settings_of("compose.yaml")["networks"]["inside"] == {"internal": True}
    assert services["postgres"]["networks"] == ["inside"]


def test_image_is_made_of_the_program_only() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*"
    taken = [line[1:] for line in lines if line.startswith("!")]
    assert all((ROOT / name).exists() for name in taken)
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages | {"sql", "pyproject.toml", "requirements.lock.txt"} <= set(taken)
    places = re.findall(r"(?:env_file: |- )(\S*/\S*)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    kept = [place.partition(":")[0] for place in places if re.search("env|key|crt|htpasswd", place)]
    assert kept
    assert all(place.startswith("/etc/needlepoint/") for place in kept)


def test_readme_names_every_file() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = {path.name for path in DEPLOY.iterdir() if path.suffix in (".yaml", ".env", ".conf")} - {"dagster.yaml"}
    assert named
    assert [name for name in named if f"`{name}`" not in readme] == []


def test_no_secret_stands_in_a_file() -> None:
    for path in DEPLOY.rglob("*"):
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        for found in re.findall(r"PASSWORD[=:] *([^\s#]*)", text):
            assert found in ("", "env:") or found.startswith("${"), path


def test_every_package_of_the_server_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock.txt").read_text(encoding="utf-8")
    extra = project["optional-dependencies"]["server"]
    assert [pin for pin in extra if f"\n{pin} \\" not in lock] == []
    assert {pin.partition("==")[0] for pin in extra} == {"dagster-postgres", "psycopg2-binary"}
