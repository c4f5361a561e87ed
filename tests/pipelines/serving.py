"""The services of a server, started as their systemd units say, and what a person asks of them over the web.

Commands, settings and Dagster's files are those that are shipped. Only places differ, as ``as_here`` says: folders,
ports and the database of this test.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from dagster._serdes import serialize_value

from pipelines.settings import PREFIX
from tests.pipelines.postgres_server import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "pipelines" / "deploy"
UNITS = DEPLOY / "systemd"
CODE, DAEMON, WEB, REVIEW = "needlepoint-code", "needlepoint-daemon", "needlepoint-webserver", "needlepoint-review"
LOOK_SECONDS = 0.5
START_SECONDS, STOP_SECONDS = 300, 5

RUNS = "{ runsOrError { ... on Runs { results { runId jobName status tags { key value } } } } }"
LAUNCH = """mutation Launch($job: String!, $tags: [ExecutionTag!]) { launchRun(executionParams: {
  selector: {repositoryLocationName: "needlepoint", repositoryName: "__repository__", jobName: $job}, runConfigData: {},
  executionMetadata: {tags: $tags}}) { __typename ... on LaunchRunSuccess { run { runId } } } }"""

SCHEDULE = """{ scheduleOrError(scheduleSelector: {repositoryLocationName: "needlepoint",
  repositoryName: "__repository__", scheduleName: "nightly_release"}) { ... on Schedule { scheduleState { id } } } }"""
SWITCH_ON = """mutation { startSchedule(scheduleSelector: {repositoryLocationName: "needlepoint",
  repositoryName: "__repository__", scheduleName: "nightly_release"}) { __typename } }"""
SWITCH_OFF = "mutation Off($id: String!) { stopRunningSchedule(id: $id) { __typename } }"
BACKFILL = """mutation Backfill($keys: [String!]!) { launchPartitionBackfill(backfillParams: {partitionNames: $keys,
  selector: {partitionSetName: "ingest_partition_set",
  repositorySelector: {repositoryLocationName: "needlepoint", repositoryName: "__repository__"}}})
  { __typename ... on LaunchBackfillSuccess { backfillId } } }"""
BACKFILLED = """query State($id: String!) { partitionBackfillOrError(backfillId: $id)
  { ... on PartitionBackfill { status } } }"""


def unit_lines(unit: Path) -> dict[str, list[str]]:
    """The lines of a unit, by name."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        if line and line[0] not in "#[":
            name, _, text = line.partition("=")
            found.setdefault(name, []).append(text)
    return found


def wait_until(what: str, is_so: Callable[[], object], deadline: float, state: Callable[[], str] = str) -> Any:
    """Look until something is so, and give it; at the deadline the test fails and says how things stand."""
    while not (found := is_so()):
        if time.monotonic() > deadline:
            pytest.fail(f"waited in vain for {what}: {state()}")
        time.sleep(LOOK_SECONDS)
    return found


class Server:
    """The services of one home. ``logs`` holds what each of them printed."""

    def __init__(self, folder: Path, database: Mapping[str, str], settings: Mapping[str, str]) -> None:
        """Lay out the files as the target says. ``folder`` has a short name, for it holds the socket."""
        self.folder = folder
        self.home, self.logs, self._run = folder / "home", folder / "logs", folder / "run"
        self._ports = {"3000": str(free_port()), "3001": str(free_port())}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        for made in (self.home, self.home / "dagster", self.logs, self._run):
            made.mkdir(mode=0o700)
        shutil.copyfile(DEPLOY / "server.yaml", self.home / "dagster" / "dagster.yaml")
        workspace = (DEPLOY / "workspace.yaml").read_text(encoding="utf-8")
        (folder / "workspace.yaml").write_text(self._as_here(workspace), encoding="utf-8")
        self.environment = self._environment() | database | settings

    def _environment(self) -> dict[str, str]:
        """The shipped settings, in an environment that holds nothing else of ours."""
        lines = self._as_here((DEPLOY / "needlepoint.env").read_text(encoding="utf-8")).splitlines()
        shipped = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        others = {name: text for name, text in os.environ.items() if not name.startswith((PREFIX, "DAGSTER_"))}
        return others | shipped | {"PYTHONPATH": str(ROOT)}

    def _as_here(self, text: str) -> str:
        """The shipped words with the places of this test; nothing else is changed."""
        places = {
            "/opt/needlepoint/.venv/bin": str(Path(sys.executable).parent),
            "/opt/needlepoint/pipelines/deploy/workspace.yaml": str(self.folder / "workspace.yaml"),
            "/opt/needlepoint": str(ROOT),
            "/run/needlepoint": str(self._run),
            "/var/lib/needlepoint": str(self.home),
        } | {f"--port {shipped}": f"--port {here}" for shipped, here in self._ports.items()}
        for shipped, here in places.items():
            text = text.replace(shipped, here)
        return text

    def start(self, service: str) -> None:
        """Start a service as its unit does."""
        unit = unit_lines(UNITS / f"{service}.service")
        for line in unit.get("ExecStartPre", []):
            assert self._started(service, line, unit).wait(START_SECONDS) == 0
        (line,) = unit["ExecStart"]
        self._processes[service] = self._started(service, line, unit)

    def _started(self, service: str, line: str, unit: Mapping[str, list[str]]) -> subprocess.Popen[bytes]:
        with (self.logs / f"{service}.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 our own units
                shlex.split(self._as_here(line)),
                cwd=self._as_here(unit["WorkingDirectory"][0]),
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                umask=int(unit["UMask"][0], 8),
                start_new_session=True,
            )

    def kill(self, service: str) -> None:
        """What the machine does when memory runs out."""
        self._processes[service].kill()
        self._processes.pop(service).wait(STOP_SECONDS)

    def stop(self) -> None:
        """Stop every service, its runs with it; the code server last."""
        for service in (
            *(one for one in self._processes if one != CODE),
            *(one for one in self._processes if one == CODE),
        ):
            process = self._processes[service]
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(STOP_SECONDS)

    def dead(self) -> list[str]:
        """Services that have ended by themselves."""
        return [service for service, process in self._processes.items() if process.poll() is not None]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A verb at the command line, as the target says: the same home, account and settings."""
        program = str(Path(sys.executable).parent / "needlepoint")
        return subprocess.run(  # noqa: S603 our own command
            [program, *words], env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False
        )

    def ask(self, query: str, variables: Mapping[str, object] | None = None, *, as_reviewer: bool = False) -> Any:
        """Send a query to a web server as its page does; None while it does not answer."""
        port = self._ports["3001" if as_reviewer else "3000"]
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        address = f"http://127.0.0.1:{port}/graphql"
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                said = json.load(answer)
        except OSError:
            return None
        assert "errors" not in said, said["errors"]
        return said["data"]

    def answers(self) -> bool:
        """Whether both web servers do."""
        return all(self.ask("{ version }", as_reviewer=one) for one in (False, True))

    def runs(self) -> list[dict[str, Any]]:
        """Every run, the newest first, with its tags as a mapping."""
        found = self.ask(RUNS)["runsOrError"]["results"]
        return [one | {"tags": {tag["key"]: tag["value"] for tag in one["tags"]}} for one in found]

    def launch(self, job: str, *, as_reviewer: bool = False) -> dict[str, Any]:
        """Start a job as an engineer does in the Launchpad, before all that waits."""
        variables = {"job": job, "tags": [{"key": "dagster/priority", "value": "1"}]}
        answer: dict[str, Any] = self.ask(LAUNCH, variables, as_reviewer=as_reviewer)["launchRun"]
        return answer

    def switch_schedule(self, *, on: bool) -> bool:
        """Switch the nightly schedule as an engineer does under Automation; False while it is not there to be seen."""
        if on:
            done = self.ask(SWITCH_ON)["startSchedule"]
        else:
            known = self.ask(SCHEDULE)["scheduleOrError"]
            if "scheduleState" not in known:
                return False
            done = self.ask(SWITCH_OFF, {"id": known["scheduleState"]["id"]})["stopRunningSchedule"]
        return bool(done["__typename"] == "ScheduleStateResult")

    def backfill(self, partitions: Sequence[str]) -> str:
        """Have the daemon read deliveries again, and say under which name it does."""
        launched = self.ask(BACKFILL, {"keys": partitions})["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        return str(launched["backfillId"])

    def state_of(self, backfill: str) -> str:
        """How far a backfill is."""
        return str(self.ask(BACKFILLED, {"id": backfill})["partitionBackfillOrError"]["status"])

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """Dagster's storage, as the services see it."""
        with pytest.MonkeyPatch.context() as patch:
            for name, text in self.environment.items():
                patch.setenv(name, text)
            with dg.DagsterInstance.from_config(str(self.home / "dagster")) as instance:
                yield instance

    def events(self) -> str:
        """All that Dagster keeps of every run, as text."""
        with self.instance() as instance:
            logs = [instance.all_logs(run.run_id) for run in instance.get_runs()]
        return "\n".join(serialize_value(entry) for log in logs for entry in log)

    def printed(self) -> Iterator[tuple[str, str]]:
        """What each service has printed so far."""
        for log in sorted(self.logs.iterdir()):
            yield log.stem, log.read_text(encoding="utf-8", errors="replace")
