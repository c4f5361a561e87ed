"""Settings: one list, which the documents follow; a wrong value is said in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assets.deliveries.problems import InputProblem
from pipelines.release_times import release_times
from pipelines.settings import (
    HOME_VARIABLE,
    MEMORY_VARIABLE,
    PREFIX,
    RELEASE_TIMES_VARIABLE,
    SETTINGS,
    SIGN_OFF_VARIABLE,
    THREADS_VARIABLE,
    audiences_to_sign_for,
    home_from_environment,
    unknown_settings,
)

ROOT = Path(__file__).parents[2]


def readme_rows(text: str) -> list[str]:
    """The rows of the README's table of settings."""
    return [line for line in text.splitlines() if line.startswith(f"| `{PREFIX}")]


def expected_rows() -> list[str]:
    notes = {
        (False, False): "",
        (True, False): " (servers only)",
        (True, True): " (servers only; a secret: by environment only)",
        (False, True): " (a secret: by environment only)",
    }
    return [
        f"| `{one.name}` | {one.meaning}{notes[one.is_server, one.is_secret]} | {one.shown_default} |"
        for one in SETTINGS
    ]


def test_readme_lists_every_setting_as_it_is() -> None:
    assert readme_rows((ROOT / "README.md").read_text(encoding="utf-8")) == expected_rows()


def test_file_for_servers_names_every_setting_and_no_other() -> None:
    text = (ROOT / "pipelines" / "deploy" / "needlepoint.env").read_text(encoding="utf-8")
    assert re.findall(rf"^({PREFIX}\w+)=", text, re.MULTILINE) == [one.name for one in SETTINGS]
    for one in SETTINGS:
        assert not one.is_secret or f"\n{one.name}=\n" in text


def test_every_variable_that_the_code_reads_is_in_the_list() -> None:
    named = {
        name
        for folder in ("assets", "dashboards", "pipelines")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(rf"[\"']({PREFIX}[A-Z_]+)[\"']", path.read_text(encoding="utf-8"))
    }
    assert named - {PREFIX} == {one.name for one in SETTINGS}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [(THREADS_VARIABLE, "two"), (THREADS_VARIABLE, "0"), (THREADS_VARIABLE, "-1"), (MEMORY_VARIABLE, "much")],
)
def test_wrong_value_is_said_in_words(monkeypatch: pytest.MonkeyPatch, name: str, wrong: str) -> None:
    monkeypatch.setenv(name, wrong)
    with pytest.raises(InputProblem, match=name) as raised:
        home_from_environment()
    assert wrong not in str(raised.value).split()


def test_empty_setting_is_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for one in SETTINGS:
        monkeypatch.setenv(one.name, "")
    monkeypatch.chdir(tmp_path)
    home = home_from_environment()
    assert (home.path, home.memory_limit, home.threads) == (tmp_path / "needlepoint-home", "4GB", None)
    assert audiences_to_sign_for() == frozenset()


def test_settings_are_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    monkeypatch.setenv(MEMORY_VARIABLE, "1.5 GiB")
    monkeypatch.setenv(THREADS_VARIABLE, "3")
    monkeypatch.setenv(SIGN_OFF_VARIABLE, " network , public,")
    home = home_from_environment()
    assert (home.path, home.memory_limit, home.threads) == (tmp_path, "1.5 GiB", 3)
    assert audiences_to_sign_for() == {"network", "public"}


def test_misspelt_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unknown_settings() == ()
    monkeypatch.setenv("NEEDLEPOINT_SIGNOFF", "network")
    assert unknown_settings() == ("NEEDLEPOINT_SIGNOFF",)


@pytest.mark.parametrize("wrong", ["at six", "0 99 * * *", "0 6 * *", "@sometimes"])
def test_times_that_cron_does_not_know_are_refused(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv(RELEASE_TIMES_VARIABLE, "30 4 * * 1-5")
    assert release_times() == "30 4 * * 1-5"
    monkeypatch.setenv(RELEASE_TIMES_VARIABLE, wrong)
    with pytest.raises(InputProblem, match=RELEASE_TIMES_VARIABLE) as raised:
        release_times()
    assert raised.value.code == "SETTING"
