"""A server as it is deployed: services as processes of their own, clinics that send meanwhile, a daemon that dies.

PostgreSQL, code server, daemon and both web servers run as their units say. For some minutes another process puts
deliveries into the landing folder, good ones and bad ones. While a release is built the daemon and the run are killed.
Later releases are made by the schedule. In the end some deliveries are read again by a backfill; every row is accounted
for, nothing is stuck, and the site is current.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest

from assets.contract import CONTRACT
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.ledger import Ledger, State
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.deliveries.state import SETTLED
from assets.home import Home
from assets.publication.release import current_release, next_release, read_manifest
from assets.publication.run_log import RunState, read_runs
from assets.simulation.night_faults import Sending, night_faults
from assets.simulation.nights import Nights, label
from dashboards.status import STATUS_FILE, status_script
from pipelines.doctor_findings import Verdict
from pipelines.one_writer import holder
from pipelines.processes import PROCESS_TAG
from pipelines.settings import RELEASE_TIMES_VARIABLE
from tests.pipelines.postgres_server import PASSWORD, postgres_server
from tests.pipelines.serving import CODE, DAEMON, REVIEW, WEB, Server, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest.importorskip("dagster_postgres", reason="the extra `server` is not installed")
pytestmark = pytest.mark.long
PATIENTS, SEED = 2_000, 11
SECONDS = 8 * 60
"""How long anything may take: other tests use the same cores."""
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
NAME = "Abernathy-Canary"
"""A last name that one clinic sends although it must not."""
BACKFILL_TAG = "dagster/backfill"
SCORE = "987654"
"""A score that is impossible."""
LANDING = "canonical"
TOLD = "told.jsonl"
OFTEN = "*/2 * * * *"
"""When releases are built: nobody can wait for six in the morning."""
EVERY_SECONDS = 20
"""How long a clinic takes to send one of the later nights."""
LATER_HOUR = ("T02", "T03")
"""A night that is sent once more, mended, bears the hour of its own extract."""
READ_AGAIN = ("first", "in pieces", "with a bad row")
UNSAFE = "<b>..%2f.."
LATER = {
    "second night": (0, 2, None, State.ACCEPTED, None),
    "no bytes": (1, 1, "file_empty", State.REJECTED, "EMPTY"),
    "third night": (0, 3, None, State.ACCEPTED, None),
    "with bytes": (1, 1, None, State.ACCEPTED, None),
    "another header": (2, 2, "column_renamed", State.REJECTED, "SCHEMA_MISSING"),
    "fourth night": (0, 4, None, State.ACCEPTED, None),
    "two headers": (1, 2, "header_in_the_middle", State.ACCEPTED, None),
    "its own header": (2, 2, None, State.ACCEPTED, None),
    "fifth night": (0, 5, None, State.ACCEPTED, None),
}
"""Nights sent one after the other: system, night, what is wrong with it, and what must become of it."""


@dataclass(frozen=True)
class Sent:
    """A folder that a clinic sends, and what must become of it."""

    folder: Path
    delivery_id: str
    state: State
    problem: str | None = None


def write(nights: Nights, folder: Path, system: int, night: int, fault: str | None = None) -> Path:
    """The files of a night, with something wrong if a fault is named."""
    name = nights.systems[system]
    made = folder / label(name, night)
    made.mkdir(parents=True)
    tables = nights.tables(name, night)
    for table, rows in tables.items():
        rows.write_csv(made / f"{table}.csv")
    if fault:
        (found,) = (one for one in night_faults() if one.name == fault)
        found.damage(Sending(made, tables, tables, "none", np.random.default_rng(SEED)))
    return made


def prepared(folder: Path) -> dict[str, Sent]:
    """What the clinics send."""
    nights = Nights(CONTRACT, SEED, PATIENTS)
    profile = load_profile(PROFILE_FOLDER / f"{LANDING}.yaml", CONTRACT)
    found: dict[str, Sent] = {}

    def sent(name: str, made: Path, state: State, problem: str | None = None) -> None:
        (whole,) = find_deliveries([made], profile).sent
        delivery, _ = land(whole, profile, CONTRACT.version, Ledger(folder / "lake"))
        found[name] = Sent(made, delivery.delivery_id, state, problem)

    sent("first", write(nights, folder, 0, 0), State.ACCEPTED)
    sent("in pieces", write(nights, folder, 1, 0), State.ACCEPTED)
    named = write(nights, folder, 2, 1, "names_added")
    people = (named / "patient.csv").read_text(encoding="utf-8")
    (named / "patient.csv").write_text(people.replace("Example", NAME), encoding="utf-8")
    assert NAME in (named / "patient.csv").read_text(encoding="utf-8")
    sent("with names", named, State.REJECTED, "PHI_SUSPECTED")
    sent("no table", write(nights, folder, 3, 1, "login_page"), State.REJECTED, "HEADER")
    dirty = write(nights, folder, 2, 0)
    scores = (dirty / "measurement.csv").read_text(encoding="utf-8").splitlines()
    scores[5] = ",".join([*scores[5].split(",")[:-2], SCORE, scores[5].split(",")[-1]])
    (dirty / "measurement.csv").write_text("\n".join(scores) + "\n", encoding="utf-8")
    sent("with a bad row", dirty, State.ACCEPTED)
    sent("unknown codes", write(nights, folder, 3, 0, "codes_unknown"), State.HELD, "CHECK")
    sent("late", write(nights, folder, 0, 1), State.ACCEPTED)
    for name, (system, night, fault, state, problem) in LATER.items():
        made = write(nights, folder / name, system, night, fault)
        is_mended = any(one.folder.name == made.name for one in found.values())
        sent(name, made.rename(made.with_name(made.name.replace(*LATER_HOUR))) if is_mended else made, state, problem)
    return found


@dataclass(frozen=True)
class Story:
    """A server after all that has happened to it."""

    server: Server
    home: Home
    sent: dict[str, Sent]
    killed: str
    first_release: str | None
    before: dict[str, str]
    """Digests of what was kept before some deliveries were read again."""
    backfill: str

    def told(self) -> str:
        """Every alert that was sent."""
        return (self.server.folder / TOLD).read_text(encoding="utf-8")


def drop(folder: Path, steps: list[dict[str, Any]]) -> subprocess.Popen[bytes]:
    """Let another process put things into the landing folder."""
    plan = Path(tempfile.mkdtemp(dir=folder)) / "plan.json"
    plan.write_text(json.dumps(steps), encoding="utf-8")
    return subprocess.Popen([sys.executable, str(Path(__file__).with_name("dropping.py")), str(plan)])  # noqa: S603 ours


def steps_of(server: Server, sent: dict[str, Sent]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What arrives from the beginning on, and what arrives while a release is built."""
    landing = server.home / "landing"

    def copied(name: str, seconds: float, to: str | None = None) -> dict[str, Any]:
        folder = sent[name].folder
        return {"copy": str(folder), "to": str(landing / LANDING / (to or folder.name)), "seconds": seconds}

    first = [
        copied("first", 1),
        copied("with names", 1),
        {"link": str(landing / LANDING / "link_20260502T020000Z"), "to": str(sent["late"].folder)},
        {"copy": str(sent["late"].folder), "to": str(landing / "no_such_profile" / "any"), "seconds": 1},
        copied("in pieces", 20),
        copied("unknown codes", 1),
        copied("first", 1, "sent-again_20260502T020000Z"),
        copied("late", 1, UNSAFE),
        copied("no table", 1),
    ]
    later = [copied(name, EVERY_SECONDS) for name in LATER]
    return first, [{"wait": 2}, copied("with a bad row", 10), copied("late", 1), *later]


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    """Everything that happens; what came of it is for the tests."""
    with postgres_server() as database, tempfile.TemporaryDirectory(prefix="np-") as name:
        folder = Path(name)
        (folder / "clinics").mkdir()
        settings = {
            "NEEDLEPOINT_MEMORY_LIMIT": "1GB",
            "NEEDLEPOINT_ALERT_FILE": str(folder / TOLD),
            RELEASE_TIMES_VARIABLE: OFTEN,
        }
        server = Server(folder, database, settings)
        sent = prepared(folder / "clinics")
        try:
            yield lived_through(server, sent)
        finally:
            server.stop()


def lived_through(server: Server, sent: dict[str, Sent]) -> Story:
    """Start the services, let clinics send, kill the daemon amid a release, and wait until all is done."""
    home = Home(server.home, memory_limit="1GB")

    def now() -> str:
        known = [f"{one.label} {one.state}" for one in home.ledger.all()]
        return f"{known}, {[(one['jobName'], one['status']) for one in server.runs()]}, ended: {server.dead()}"

    def wait(what: str, is_so: Callable[[], Any]) -> Any:
        return wait_until(what, is_so, time.monotonic() + SECONDS, now)

    def are_settled(*names: str) -> bool:
        records = [home.ledger.find(sent[one].delivery_id) for one in names]
        return all(one is not None and one.state in SETTLED for one in records)

    def have_ended() -> bool:
        return all(one["status"] in ENDED for one in server.runs())

    first, second = steps_of(server, sent)
    droppers = [drop(server.folder, first)]
    for service in (CODE, WEB, REVIEW):
        server.start(service)
    wait_until("both web servers", server.answers, time.monotonic() + SECONDS)
    wait_until("the schedule", lambda: server.switch_schedule(on=False), time.monotonic() + SECONDS)
    server.start(DAEMON)
    wait("the first delivery", lambda: are_settled("first"))
    launched = wait("the release to be launched", lambda: server.launch("release").get("run"))["runId"]
    droppers.append(drop(server.folder, second))
    wait("a release half built", (home.building / "warehouse.duckdb").exists)
    (run,) = (one for one in server.runs() if one["runId"] == launched)
    server.kill(DAEMON)
    os.kill(int(run["tags"][PROCESS_TAG].rsplit(" ", 2)[1]), signal.SIGKILL)
    assert current_release(home) is None
    server.start(DAEMON)
    first_release = wait("the release that was begun again", lambda: current_release(home))
    assert server.switch_schedule(on=True)
    assert [dropper.wait(SECONDS) for dropper in droppers] == [0, 0]
    wait("all deliveries", lambda: are_settled(*sent))
    wait("their runs", have_ended)
    wait("the release of all", lambda: current_release(home) == next_release(home))
    wait("its run", have_ended)
    before = kept(home)
    backfill = server.backfill([sent[one].delivery_id for one in READ_AGAIN])
    wait("the backfill", lambda: server.state_of(backfill) not in ("REQUESTED", "COMPLETING"))
    wait("its runs", have_ended)
    return Story(server, home, sent, launched, first_release, before, backfill)


def kept(home: Home) -> dict[str, str]:
    """Digests of the rows in the lake, of the release in force, and of every number it is made of."""
    places = (*(home.path / "lake").glob("[!.]*/rows/*.parquet"), *home.warehouse.resolve().parent.rglob("*"))
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in places if path.is_file()}


def test_every_delivery_is_where_it_belongs(story: Story) -> None:
    found = {one.delivery_id: (one.state, one.problem_code) for one in story.home.ledger.all()}
    assert found == {one.delivery_id: (one.state, one.problem) for one in story.sent.values()}


def test_every_row_is_accounted_for(story: Story) -> None:
    with duckdb.connect(str(story.home.warehouse), read_only=True) as connection:
        rows = connection.sql(
            "select delivery_id, ingested, accepted, quarantined, superseded, rejected from audit.conservation"
        ).fetchall()
    counted = {one: counts for one, *counts in rows}
    assert counted.keys() == {one.delivery_id for one in story.sent.values()}
    for one in story.sent.values():
        ingested, *parts = counted[one.delivery_id]
        lines = sum(max(len(path.read_bytes().splitlines()) - 1, 0) for path in one.folder.glob("*.csv"))
        assert ingested == sum(parts) == lines > 0
        assert (parts[3] == ingested) == (one.state is not State.ACCEPTED)
    assert [counted[story.sent[one].delivery_id][2] for one in ("with a bad row", "two headers")] == [1, 1]
    assert counted[story.sent["first"].delivery_id][2] == 0


def test_no_run_is_stuck_and_nothing_is_held(story: Story) -> None:
    assert holder(story.home) is None
    assert {one["status"] for one in story.server.runs()} <= ENDED
    assert story.server.dead() == []
    with story.server.instance() as instance:
        pool = instance.event_log_storage.get_concurrency_info("warehouse")
    assert (pool.active_slot_count, pool.pending_step_count) == (0, 0)


def test_the_killed_release_was_begun_again_by_the_daemon(story: Story) -> None:
    runs = {one["runId"]: one for one in story.server.runs()}
    assert runs[story.killed]["status"] == "FAILURE"
    (again,) = (one for one in runs.values() if one["tags"].get("dagster/parent_run_id") == story.killed)
    assert again["status"] == "SUCCESS"
    # deliveries are read once each, also those that came while there was no daemon
    read = [
        one["tags"]["dagster/partition"]
        for one in runs.values()
        if one["jobName"] == "ingest" and BACKFILL_TAG not in one["tags"]
    ]
    assert sorted(read) == sorted(one.delivery_id for one in story.sent.values())


def test_the_schedule_made_the_later_releases(story: Story) -> None:
    latest, *others = (one for one in story.server.runs() if one["jobName"] == "release")
    assert latest["tags"].get("dagster/schedule_name") == "nightly_release"
    # a look at the clock when nothing has changed starts no run
    scheduled = [one for one in (latest, *others) if "dagster/schedule_name" in one["tags"]]
    assert len(scheduled) == len(others) - 1
    assert 1 <= len(scheduled) <= len(story.sent)


def test_a_backfill_reads_deliveries_again_and_changes_nothing(story: Story) -> None:
    assert story.server.state_of(story.backfill) == "COMPLETED_SUCCESS"
    read = [one for one in story.server.runs() if one["tags"].get(BACKFILL_TAG) == story.backfill]
    assert [one["status"] for one in read] == ["SUCCESS"] * len(READ_AGAIN)
    assert {one["tags"]["dagster/partition"] for one in read} == {story.sent[one].delivery_id for one in READ_AGAIN}
    assert len(story.before) > len(story.sent)
    assert kept(story.home) == story.before


def test_the_run_log_tells_the_same_story(story: Story) -> None:
    log = {one.dagster_run: one for one in read_runs(story.home.path).records}
    assert log.keys() == {one["runId"] for one in story.server.runs()}
    assert log[story.killed].state is RunState.UNFINISHED
    read = {name: state for one in log.values() for name, state in one.deliveries.items()}
    assert read == {one.delivery_id: one.state.value for one in story.sent.values()}
    releases = [one for one in log.values() if one.kind == "release"]
    assert releases[0].dagster_run == story.killed
    assert {one.state for one in releases[1:]} <= {RunState.RELEASED, RunState.WARNED}
    assert [releases[1].release, releases[-1].release] == [story.first_release, current_release(story.home)]


def test_the_site_is_current(story: Story) -> None:
    release = current_release(story.home)
    assert release == next_release(story.home) != story.first_release
    manifest = read_manifest(story.home, str(release))
    states = {one["delivery_id"]: one["state"] for one in manifest["deliveries"]}
    assert states == {one.delivery_id: one.state.value for one in story.sent.values()}
    page = (story.home.site / "index.html").read_text(encoding="utf-8")
    assert str(release) in page
    said = (story.home.site / STATUS_FILE).read_text(encoding="utf-8")
    assert said != status_script("").decode()
    assert "1 delivery is held back and not in these numbers: by check" in said
    assert "visit.rows.usable" in said


def test_who_reads_may_start_nothing(story: Story) -> None:
    assert story.server.launch("release", as_reviewer=True)["__typename"] == "UnauthorizedError"
    assert story.server.ask("{ version }", as_reviewer=True)


def test_what_could_not_be_landed_was_said(story: Story) -> None:
    said = dict(story.server.printed())[CODE]
    for problem in ("a symbolic link", "there is no profile of this name", "its name begins with something other than"):
        assert problem in said
    assert set(re.findall(r"Not landed: ([A-Z]+): ", said)) == {"SYMLINK", "PROFILE", "FILENAME"}
    assert "<b>" not in said


def test_the_doctor_finds_what_was_planted_and_nothing_else(story: Story) -> None:
    told = story.server.command("doctor", "--json")
    wrong = [one for one in json.loads(told.stdout) if one["verdict"] == Verdict.WRONG]
    # the machine of this test is not that of a server
    ours = [one for one in wrong if one["topic"] not in ("python", "packages", "secrets", "disk")]
    assert {one["topic"] for one in ours} == {"landing"}
    assert [one["found"].partition(":")[0] for one in ours] == [
        "not landed, FILENAME",
        "not landed, SYMLINK",
        "not landed, PROFILE",
    ]


def test_no_value_is_in_logs_events_or_alerts(story: Story) -> None:
    keys = {
        key
        for one in story.sent.values()
        for line in (one.folder / "visit.csv").read_text(encoding="utf-8").splitlines()[1:40]
        for key in line.split(",")[:2]
    }
    secrets = [NAME, SCORE, PASSWORD, *sorted(keys)]
    for name, text in (*story.server.printed(), ("events", story.server.events()), ("alerts", story.told())):
        assert len(text) > 100, f"{name} was looked at"
        assert [one for one in secrets if one in text] == [], name
    assert "PHI_SUSPECTED" in story.told()
