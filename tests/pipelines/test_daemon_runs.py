"""A run of Dagster's daemon is written down, and said on the pages, as a call of the command line is."""

from __future__ import annotations

from collections.abc import Iterator  # noqa: TC003 Dagster reads the annotations
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from assets.audit.ledger import entries
from assets.contract import CONTRACT
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.ledger import State
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.home import Home
from assets.publication.run_log import RunRecord, RunState, read_runs
from assets.simulation.network import simulate_network
from dashboards.status import STATUS_FILE
from pipelines.definitions import defs
from pipelines.executor import TRY_AGAIN_TAG, one_writer_executor
from pipelines.jobs import INGEST
from pipelines.runner import QUIET, dagster_instance
from pipelines.settings import HOME_VARIABLE, home_from_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BLOCKING = dg.AssetCheckSpec("visit__key__unique", asset="gate", blocking=True)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with a release in force."""
    place = Home(tmp_path / "home", memory_limit="1GB")
    place.create()
    (place.releases / "abc" / "site").mkdir(parents=True)
    place.current.symlink_to("releases/abc")
    monkeypatch.setenv(HOME_VARIABLE, str(place.path))
    monkeypatch.setenv("DAGSTER_HOME", "")  # put back afterwards: the instance of the home sets it
    return place


@dg.asset(check_specs=[BLOCKING])
def gate() -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """A gate that does not open."""
    yield dg.AssetCheckResult(passed=False, check_name=BLOCKING.name)
    yield dg.MaterializeResult()


@dg.asset
def broken() -> None:
    """A step that fails."""
    raise dg.Failure(description="planted", allow_retries=False)


@dg.asset
def whole() -> None:
    """A step that does not."""


def job_of(name: str, asset: dg.AssetsDefinition) -> dg.JobDefinition:
    job = dg.define_asset_job(name, selection=dg.AssetSelection.assets(asset))
    return dg.Definitions(assets=[asset], jobs=[job], executor=one_writer_executor).resolve_job_def(name)


def held_release() -> dg.JobDefinition:
    return job_of("release", gate)


def broken_release() -> dg.JobDefinition:
    return job_of("release", broken)


def whole_release() -> dg.JobDefinition:
    return job_of("release", whole)


def ingest() -> dg.JobDefinition:
    """The job as it is, in the home of this test."""
    resources = {"home": home_from_environment()}
    ours = dg.Definitions(assets=defs.assets, jobs=[INGEST], resources=resources, executor=one_writer_executor)
    return ours.resolve_job_def("ingest")


def ran(home: Home, job: Callable[[], dg.JobDefinition], **tags: str) -> RunRecord:
    """Run a job as the daemon does, and give what the run log says of it."""
    before = len(read_runs(home.path).records)
    about = {f"dagster/{name}": text for name, text in tags.items()}
    with dagster_instance(home) as instance:
        instance.add_dynamic_partitions("deliveries", list(tags.values()))
        with dg.execute_job(dg.reconstructable(job), instance=instance, tags=about, run_config=QUIET) as result:
            run_id = result.run_id
    *earlier, last = read_runs(home.path).records
    assert len(earlier) == before
    assert (last.kind, last.dagster_run) == (job().name, run_id)
    assert last.finished is not None
    return last


def said(home: Home) -> str:
    return (home.site / STATUS_FILE).read_text(encoding="utf-8")


def test_a_held_release_is_written_down_and_said_until_one_is_released(home: Home) -> None:
    held = ran(home, held_release)
    assert (held.state, held.held_checks, held.held_by) == (
        RunState.HELD,
        ("visit.key.unique",),
        ("visit.key.unique",),
    )
    assert [one.body["checks"] for one in entries(home.path) if one.kind == "held"] == [["visit.key.unique"]]
    assert "(visit.key.unique) since" in said(home)
    failed = ran(home, broken_release)
    assert failed.state is RunState.FAILED
    assert failed.held_by[0].startswith("a failure in step broken (see Dagster run ")
    assert "(visit.key.unique) since" in said(home)
    released = ran(home, whole_release)
    assert released.state is RunState.RELEASED
    assert list(released.steps) == ["whole"]
    assert "since" not in said(home)


def test_what_was_overtaken_is_begun_again_and_what_then_fails_for_itself_is_not(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon gives the run that it begins again the tags of the one before."""
    tags: dict[str, str] = {}
    words = []
    with dagster_instance(home) as instance:
        for is_overtaken in (False, True, False):
            monkeypatch.setattr("pipelines.executor.is_overtaken", lambda _, now=is_overtaken: now)
            job = dg.reconstructable(broken_release)
            with dg.execute_job(job, instance=instance, tags=tags, run_config=QUIET) as result:
                run = instance.get_run_by_id(result.run_id)
            assert run is not None
            tags = dict(run.tags)
            words.append(tags.get(TRY_AGAIN_TAG))
    assert words == [None, "true", "false"]


@pytest.fixture
def landed(home: Home, tmp_path: Path) -> Callable[..., str]:
    """Land a small delivery, whole or with a column of codes that nobody knows; give its id."""

    def make(*, visit_type: str | None = None) -> str:
        out = tmp_path / f"feed-{visit_type}"
        simulate_network(out, patients=20, seed=5, contract=CONTRACT, clean=True, sources=1)
        (feed,) = (path for path in out.iterdir() if path.is_dir())
        feed = feed.rename(feed.with_name(f"{'recoded' if visit_type else 'whole'}_20260701T020000Z"))
        if visit_type:
            lines = (feed / "visit.csv").read_text(encoding="utf-8").splitlines()
            place = lines[0].split(",").index("visit_type")
            rows = [line.split(",") for line in lines[1:]]
            changed = [",".join([*row[:place], visit_type, *row[place + 1 :]]) for row in rows]
            (feed / "visit.csv").write_text("\n".join([lines[0], *changed]) + "\n", encoding="utf-8")
        profile = load_profile(PROFILE_FOLDER / "canonical.yaml", CONTRACT)
        (sent,) = find_deliveries([feed], profile).sent
        return land(sent, profile, CONTRACT.version, home.ledger)[0].delivery_id

    return make


def test_a_delivery_that_was_read_is_written_down_with_its_rows(home: Home, landed: Callable[..., str]) -> None:
    good, bad = landed(), landed(visit_type="9")
    read = ran(home, ingest, partition=good)
    assert (read.state, read.deliveries, read.release) == (RunState.READ, {good: State.ACCEPTED}, "abc")
    assert read.rows_in == read.rows_used + read.rows_set_aside > 0
    assert "quality__accepted_rows" in read.steps
    held = ran(home, ingest, partition=bad)
    assert (held.state, held.deliveries, held.rows_used) == (RunState.HELD, {bad: State.HELD}, 0)
    assert held.rows_rejected == held.rows_in > 0
    assert "visit.rows.usable" in held.held_by[0]
    assert held.held_checks == (), "a held delivery holds no release"
    assert "1 delivery is held back" in said(home)


def test_a_delivery_that_could_not_be_read_is_written_down_as_failed(
    home: Home, landed: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("assets.deliveries.assets.read_delivery", fails)
    failed = ran(home, ingest, partition=landed())
    assert (failed.state, failed.problems, failed.deliveries) == (RunState.FAILED, ("FAILED",), {})
