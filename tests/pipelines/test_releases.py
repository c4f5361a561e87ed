"""Kept releases: going back is one switch that ledger, pages, runs and ``verify`` know of; old ones go whole."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from click.testing import CliRunner

from assets.audit.ledger import append, entries
from assets.audit.rolled_back import rolled_back
from assets.audit.verify import verify
from assets.deliveries.problems import InputProblem
from assets.publication import release as releases
from assets.publication.in_force import held_back
from assets.publication.release import current_release, kept_releases, newest_release, predecessor, start_building
from assets.publication.retention import droppable, prune, sweep_releases
from assets.publication.rollback import resume, roll_back
from pipelines import runner, schedules
from pipelines.cli import cli
from tests.audit.conftest import release_of, sealed_home, sealed_template

if TYPE_CHECKING:
    from assets.home import Home

__all__ = ["sealed_home", "sealed_template"]

NOW = datetime(2026, 7, 2, 9, tzinfo=UTC)
WHY = "the clinic sent last year's file again"


def back_to(home: Home, release: str) -> None:
    roll_back(home, release, by="A. Steward", because=WHY, now=NOW)


def status(home: Home) -> str:
    return (home.site / "status.js").read_text(encoding="utf-8")


def call(home: Home, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["releases", words[0], "--home", str(home.path), *words[1:]])
    return done.exit_code, done.stdout if done.exception is None or done.exit_code < 2 else str(done.exception)


def test_going_back_is_in_the_ledger_on_the_pages_and_nothing_is_broken(sealed_home: Home) -> None:
    assert (current_release(sealed_home), held_back(sealed_home)) == ("bbbb", "")
    back_to(sealed_home, "aaaa")
    entry = entries(sealed_home.path)[-1]
    assert (entry.kind, entry.by) == ("rollback", "A. Steward")
    assert entry.body == {"release": "aaaa", "before": "bbbb", "newest": "bbbb", "because": WHY}
    assert (sealed_home.site / "index.html").read_text(encoding="utf-8") == "<p>aaaa</p>"
    assert "release aaaa was put back in place of release bbbb" in status(sealed_home)
    assert "Steward" not in status(sealed_home)
    assert WHY not in status(sealed_home)
    assert "is not released until somebody decides so" in held_back(sealed_home)
    assert verify(sealed_home).broken == ()


def test_a_pointer_that_somebody_moved_is_found(sealed_home: Home) -> None:
    sealed_home.current.unlink()
    sealed_home.current.symlink_to("releases/aaaa")
    assert [one.where for one in verify(sealed_home).broken] == ["current"]
    back_to(sealed_home, "bbbb")
    assert verify(sealed_home).broken == ()
    back_to(sealed_home, "aaaa")
    sealed_home.current.unlink()
    sealed_home.current.symlink_to("releases/bbbb")
    assert [one.where for one in verify(sealed_home).broken] == ["current"]


def test_a_run_that_died_between_seal_and_switch_has_broken_nothing(
    sealed_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.audit.conftest.switch_in", lambda *_: None)
    release_of(sealed_home, "cccc")
    assert current_release(sealed_home) == "bbbb"
    assert verify(sealed_home).broken == ()
    (sealed_home.building / "seal.json").unlink()
    assert [one.where for one in verify(sealed_home).broken] == ["current"]


def test_putting_the_newest_back_ends_it(sealed_home: Home) -> None:
    release_of(sealed_home, "cccc")
    back_to(sealed_home, "bbbb")
    back_to(sealed_home, "aaaa")
    assert newest_release(sealed_home) == "cccc"
    back_to(sealed_home, "cccc")
    assert (current_release(sealed_home), held_back(sealed_home)) == ("cccc", "")
    assert status(sealed_home) == '"use strict";\n'
    assert verify(sealed_home).broken == ()


def test_nothing_is_built_until_somebody_resumes(sealed_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "next_release", lambda _: "cccc")
    start_building(sealed_home)
    back_to(sealed_home, "aaaa")
    with pytest.raises(InputProblem, match=r"A\. Steward put release aaaa back in force on 2026-07-02"):
        start_building(sealed_home)
    resume(sealed_home, by="A. Steward", because="the clinic has sent the right file", now=NOW)
    start_building(sealed_home)
    assert "An older release is in force" in status(sealed_home)
    assert "until somebody decides so" not in status(sealed_home)
    with pytest.raises(InputProblem, match="no roll-back keeps releases back"):
        resume(sealed_home, by="A. Steward", because="the clinic has sent the right file", now=NOW)
    release_of(sealed_home, "cccc")
    assert held_back(sealed_home) == ""
    assert verify(sealed_home).broken == ()


def test_a_run_says_so_and_releases_nothing(sealed_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(runner, "next_release", lambda _: "bbbb")

    def execute(job: str, *_: object) -> tuple[list[str], list[str]]:
        asked.append(job)
        return [], []

    monkeypatch.setattr(runner, "_execute", execute)

    def outcome() -> runner.RunOutcome:
        made = runner.RunOutcome(known=list(sealed_home.ledger.all()))
        runner._release(sealed_home, None, made, lambda _: None)  # type: ignore[arg-type]  # noqa: SLF001 # no Dagster
        return made

    back_to(sealed_home, "aaaa")
    held = outcome()
    assert (held.exit_code, held.released, held.release, asked) == (1, False, "aaaa", [])
    (sentence,) = held.held_by
    assert sentence.startswith("ROLLED_BACK: release: A. Steward put release aaaa back in force on 2026-07-02. `")
    resume(sealed_home, by="A. Steward", because="the clinic has sent the right file", now=NOW)
    assert (outcome().released, asked) == (True, ["release"])


def test_the_schedule_says_so_and_starts_nothing(sealed_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "next_release", lambda _: "cccc")

    def tick() -> dg.RunRequest | dg.SkipReason:
        with (
            dg.instance_for_test() as instance,
            dg.build_schedule_context(instance=instance, resources={"home": sealed_home}) as context,
        ):
            made = schedules.nightly_release(context)
        assert isinstance(made, dg.RunRequest | dg.SkipReason)
        return made

    assert isinstance(tick(), dg.RunRequest)
    back_to(sealed_home, "aaaa")
    skipped = tick()
    assert isinstance(skipped, dg.SkipReason)
    assert "put release aaaa back in force" in (skipped.skip_message or "")


def test_the_next_release_must_not_give_away_the_newest_that_was_seen(
    sealed_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "next_release", lambda _: "cccc")
    back_to(sealed_home, "aaaa")
    assert predecessor(sealed_home) == "bbbb"
    shutil.rmtree(sealed_home.releases / "bbbb")
    assert predecessor(sealed_home) == "aaaa"


@pytest.mark.parametrize(
    ("release", "by", "because", "words"),
    [
        ("bbbb", "A. Steward", WHY, "is in force"),
        ("cccc", "A. Steward", WHY, "no release of this name is kept"),
        ("../lake", "A. Steward", WHY, "no release of this name is kept"),
        (".building", "A. Steward", WHY, "no release of this name is kept"),
        ("aaaa", " ", WHY, "names nobody"),
        ("aaaa", "A. Steward", "oops", "no reason"),
    ],
)
def test_what_cannot_be_put_back_changes_nothing(
    sealed_home: Home, release: str, by: str, because: str, words: str
) -> None:
    before = entries(sealed_home.path)
    with pytest.raises(InputProblem, match=words):
        roll_back(sealed_home, release, by=by, because=because, now=NOW)
    assert entries(sealed_home.path) == before
    assert current_release(sealed_home) == "bbbb"


def test_a_release_that_was_changed_is_not_put_back(sealed_home: Home) -> None:
    (sealed_home.releases / "aaaa" / "site" / "index.html").write_text("other numbers", encoding="utf-8")
    with pytest.raises(InputProblem, match="what was changed is not put in force"):
        back_to(sealed_home, "aaaa")
    assert current_release(sealed_home) == "bbbb"


def test_of_a_roll_back_that_died_before_the_switch_nothing_is_held(sealed_home: Home) -> None:
    append(sealed_home.path, "rollback", {"release": "aaaa", "newest": "bbbb"}, "A. Steward", NOW)
    assert rolled_back(entries(sealed_home.path), current_release(sealed_home)) is None
    assert [one.where for one in verify(sealed_home).broken] == ["current"]
    back_to(sealed_home, "aaaa")
    assert verify(sealed_home).broken == ()


def test_old_releases_go_and_what_is_needed_stays(sealed_home: Home) -> None:
    for name in ("cccc", "dddd", "eeee"):
        release_of(sealed_home, name)
    assert droppable(sealed_home, 3) == ("aaaa", "bbbb")
    back_to(sealed_home, "bbbb")
    assert droppable(sealed_home, 1) == ("aaaa", "cccc", "dddd")
    assert prune(sealed_home, 1, "A. Steward") == ("aaaa", "cccc", "dddd")
    assert kept_releases(sealed_home) == ("bbbb", "eeee")
    entry = entries(sealed_home.path)[-1]
    assert (entry.kind, entry.by, entry.body["releases"]) == ("prune", "A. Steward", ["aaaa", "cccc", "dddd"])
    assert verify(sealed_home).broken == ()
    assert prune(sealed_home, 1) == ()
    assert entries(sealed_home.path)[-1] == entry


def test_the_release_that_another_follows_stays(sealed_home: Home) -> None:
    folder = sealed_home.releases / "bbbb"
    releases.write_manifest(folder, "bbbb", (), "0123456789ab", "2", {}, "aaaa")
    assert droppable(sealed_home, 1) == ()


def test_what_a_dead_process_left_half_dropped_or_half_replaced_is_finished(sealed_home: Home) -> None:
    (sealed_home.releases / "aaaa").rename(sealed_home.releases / ".dropped-aaaa")
    (sealed_home.releases / "bbbb").rename(sealed_home.releases / ".retired-bbbb")
    assert not sealed_home.current.is_dir()
    sweep_releases(sealed_home)
    assert sorted(path.name for path in sealed_home.releases.iterdir()) == ["bbbb"]
    assert verify(sealed_home).broken == ()


def test_the_commands(sealed_home: Home) -> None:
    code, said = call(sealed_home, "list")
    assert code == 0
    first, second = said.splitlines()
    assert first.startswith("aaaa  20")
    assert second.endswith("not signed  other code  in force")
    reason = ("--by", "A. Steward", "--because", WHY)
    code, said = call(sealed_home, "rollback", "aaaa", *reason)
    assert (code, current_release(sealed_home)) == (0, "aaaa")
    assert said.startswith("Release aaaa is in force. Entry 7 of the ledger")
    assert call(sealed_home, "list")[1].splitlines()[0].endswith("in force, put back")
    told = json.loads(call(sealed_home, "show", "aaaa", "--json")[1])
    assert (told["is_put_back"], told["deliveries"][0][1]) == (True, "accepted")
    assert told["put_back"][0][1] == "A. Steward"
    assert "Deliveries: 1 accepted" in call(sealed_home, "show", "aaaa")[1]
    assert call(sealed_home, "resume", *reason)[1].startswith("The next run releases again.")
    assert call(sealed_home, "prune", "--keep", "1", "--by", "A. Steward") == (0, "Nothing to drop.\n")
    release_of(sealed_home, "cccc")
    assert call(sealed_home, "prune", "--keep", "2", "--by", "X", "--dry-run") == (0, "Would drop aaaa\n")
    assert call(sealed_home, "prune", "--keep", "2", "--by", "X") == (0, "Dropped aaaa\n")
    assert kept_releases(sealed_home) == ("bbbb", "cccc")


def test_a_release_whose_manifest_is_gone_is_listed_and_named(sealed_home: Home) -> None:
    (sealed_home.releases / "aaaa" / "manifest.json").unlink()
    assert call(sealed_home, "list")[1].splitlines()[0] == "aaaa  cannot be read: run `needlepoint audit verify`"


@pytest.mark.parametrize("verb", ["rollback", "resume", "prune", "show"])
def test_without_releases_it_is_said(tmp_path_factory: pytest.TempPathFactory, verb: str) -> None:
    words = {"rollback": ["aaaa", "--because", WHY], "resume": ["--because", WHY], "prune": [], "show": ["aaaa"]}[verb]
    person = [] if verb == "show" else ["--by", "A. Steward"]
    home = tmp_path_factory.mktemp("empty") / "home"
    done = CliRunner().invoke(cli, ["releases", verb, "--home", str(home), *words, *person])
    assert isinstance(done.exception, InputProblem)
    assert not home.exists()
