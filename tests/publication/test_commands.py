"""``needlepoint publish``, ``serve`` and ``open`` as they are called."""

from __future__ import annotations

import socket
import webbrowser
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from assets.audit.seals import seal_release
from assets.audit.sign_off import Verdict, sign
from assets.deliveries.problems import InputProblem
from assets.home import Home
from assets.publication import bundles, in_force
from pipelines.cli import cli
from pipelines.cli_publish import pages_folder
from pipelines.settings import HOME_VARIABLE, SIGN_OFF_VARIABLE, home_from_environment
from tests.publication.conftest import OWN, PEERS, release_of

if TYPE_CHECKING:
    from click.testing import Result

    from assets.publication.bundles import Release


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    release = tmp_path / "releases" / "one" / "site"
    release.mkdir(parents=True)
    (release / "index.html").write_text("site")
    (tmp_path / "current").symlink_to("releases/one")
    (tmp_path / "site").symlink_to("current/site")
    (tmp_path / "bundles" / "network").mkdir(parents=True)
    (tmp_path / "bundles" / "network" / "index.html").write_text("network")
    (tmp_path / "bundles" / "network" / "manifest.json").write_text('{"audience": "network"}')
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def problem(result: Result) -> InputProblem:
    assert isinstance(result.exception, InputProblem)
    return result.exception


# --- open and serve ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("works", [True, False])
def test_open_shows_the_page_and_says_where_it_is(home: Path, monkeypatch: pytest.MonkeyPatch, *, works: bool) -> None:
    opened: list[str] = []

    def show(address: str) -> bool:
        opened.append(address)
        return works

    monkeypatch.setattr(webbrowser, "open", show)
    result = call("open")
    assert result.exit_code == 0
    assert result.stdout == f"{home}/site/index.html\n"
    assert opened == [f"file://{home}/site/index.html"]
    assert ("No browser can be opened" in result.stderr) is not works


def test_open_without_any_browser_still_says_where_the_page_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: str) -> bool:
        raise webbrowser.Error

    monkeypatch.setattr(webbrowser, "open", nothing)
    result = call("open", "--bundle", "network")
    assert (result.exit_code, result.stdout) == (0, f"{home}/bundles/network/index.html\n")


@pytest.mark.parametrize("bundle", ["clinic/nowhere", "..", "../site", "/etc", "network/../..", "../../elsewhere"])
def test_a_bundle_that_is_not_there_is_said(home: Path, bundle: str) -> None:
    elsewhere = home.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    (elsewhere / "index.html").write_text("elsewhere")
    assert problem(call("open", "--bundle", bundle)).code == "NO_BUNDLE"


def test_before_the_first_release_there_is_nothing_to_open(tmp_path: Path) -> None:
    assert problem(call("open", "--home", str(tmp_path / "none"))).code == "NO_RELEASE"


def test_the_folder_is_that_of_the_site_or_of_the_bundle(home: Path) -> None:
    known = home_from_environment()
    assert pages_folder(known, None) == home / "site"
    assert pages_folder(known, "network") == home / "bundles" / "network"


def test_a_port_in_use_is_said(home: Path) -> None:
    assert home.exists()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert problem(call("serve", "--port", str(taken.getsockname()[1]))).code == "PORT"


# --- publish -------------------------------------------------------------------------------------------------------


@pytest.fixture
def release(home: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    """A release whose pages are one file, so that no test waits for pages."""
    made = release_of((OWN, *PEERS))

    def build(*given: Any) -> None:
        Path(given[-1], "index.html").write_text(given[2].banner)

    assert home.exists()
    monkeypatch.setattr(bundles, "build_site", build)
    monkeypatch.setattr(in_force, "release_in_force", lambda *_: made)
    return made


def test_publish_says_where_the_bundles_are(home: Path, release: Release) -> None:
    assert release.meta.release
    result = call("publish", "--audience", "all")
    assert result.exit_code == 0
    folders = [Path(line) for line in result.stdout.splitlines()]
    assert [folder.relative_to(home / "bundles").parts[0] for folder in folders] == [
        *("network", "clinic", "clinic", "clinic", "clinic", "ops", "public")
    ]
    assert all((folder / "manifest.json").is_file() for folder in folders)


def test_publish_writes_where_it_is_told_to(tmp_path: Path, release: Release) -> None:
    assert release.meta.release
    result = call("publish", "--audience", "clinic", "--clinic", OWN, "--out", str(tmp_path / "out"))
    assert result.exit_code == 0
    assert [path.name for path in (tmp_path / "out" / "clinic").iterdir()] == [Path(result.stdout.strip()).name]


def test_bundles_of_a_release_that_is_behind_say_so(
    home: Path, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = replace(release, meta=replace(release.meta, banner=in_force.OUTDATED))
    monkeypatch.setattr(in_force, "release_in_force", lambda *_: behind)
    result = call("publish", "--audience", "ops")
    assert in_force.OUTDATED in result.stderr
    assert (home / "bundles" / "ops" / "index.html").read_text() == in_force.OUTDATED


def test_what_is_not_made_is_said_and_counts(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_force, "release_in_force", lambda *_: release_of((OWN, PEERS[0])))
    assert release.meta.release
    result = call("publish", "--audience", "all")
    assert result.exit_code == 1
    assert "Not made. clinic: of two clinics" in result.stdout
    assert len(result.stdout.splitlines()) == 4


@pytest.fixture
def unsigned(home: Path, release: Release, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A release that the network gets only when it is signed."""
    monkeypatch.setenv(SIGN_OFF_VARIABLE, "network")
    made = Home(home, memory_limit="1GB")
    folder = home / "releases" / release.meta.release
    (home / "releases" / "one" / "manifest.json").write_text('{"files": {}}')
    made.building.mkdir()
    (made.building / "manifest.json").write_text('{"files": {}}')
    seal_release(made, release.meta.release)
    made.building.rename(folder)
    return made


def test_the_network_waits_for_a_signature_if_it_is_set_so(unsigned: Home, release: Release) -> None:
    before = (unsigned.path / "bundles" / "network" / "index.html").read_text()
    result = call("publish", "--audience", "all")
    assert result.exit_code == 1
    assert f"Not made. network: release {release.meta.release} has not been signed" in result.stdout
    assert {path.name for path in (unsigned.path / "bundles").iterdir() if not path.name.startswith(".")} == {
        *("network", "clinic", "ops", "public")
    }
    assert (unsigned.path / "bundles" / "network" / "index.html").read_text() == before
    for decision, code in ((Verdict.REJECT, 1), (Verdict.ACCEPT, 0)):
        now = datetime(2026, 7, 1, tzinfo=UTC)
        sign(unsigned, release.meta.release, decision=decision, by="Q. Lead", note="looked at it all", now=now)
        assert call("publish", "--audience", "network").exit_code == code
    assert (unsigned.path / "bundles" / "network" / "index.html").read_text() != before


def test_without_the_setting_nothing_waits(unsigned: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert unsigned.path.exists()
    monkeypatch.delenv(SIGN_OFF_VARIABLE)
    assert call("publish", "--audience", "network").exit_code == 0


def test_an_audience_that_is_misspelt_in_the_setting_does_not_go_unsigned(
    unsigned: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert unsigned.path.exists()
    monkeypatch.setenv(SIGN_OFF_VARIABLE, "networks")
    assert problem(call("publish", "--audience", "network")).code == "SETTING"


@pytest.mark.parametrize(
    "arguments",
    [["--audience", "nobody"], [], ["--audience", "network", "--clinic", OWN], ["--audience", "all", "--clinic", OWN]],
)
def test_a_call_that_cannot_be_used(home: Path, arguments: list[str]) -> None:
    assert home.exists()
    assert call("publish", *arguments).exit_code == 2


def test_before_the_first_release_nothing_is_published(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    result = call("publish", "--home", str(tmp_path), "--audience", "network")
    assert problem(result).code == "NO_RELEASE"
    assert not (tmp_path / "bundles").exists()
