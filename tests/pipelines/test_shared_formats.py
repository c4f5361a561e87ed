"""Real data in every format a clinic may send them in: the same tables come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.shared, pytest.mark.long]

FORMATS = {"csv": "csv", "xlsx": "excel", "sav": "spss"}


def marts(run: Any) -> dict[str, bytes]:
    """Every mart as bytes, rows in one order."""
    names = run.query("select table_name from information_schema.tables where table_schema = 'marts'")["table_name"]
    frames = {name: run.query(f"select * from marts.{name}") for name in sorted(names)}
    return {name: frame.sort(frame.columns, nulls_last=True).write_csv().encode() for name, frame in frames.items()}


@pytest.fixture(scope="module")
def trial(
    make_installation: Callable[..., Any], shared_data: Path, profiles: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, bytes]]:
    """The marts of the acupuncture trial by the suffix of its file."""
    text = (profiles / "acupuncture_headache.yaml").read_text(encoding="utf-8")
    found = {}
    for suffix, name in FORMATS.items():
        profile = tmp_path_factory.mktemp("profile") / f"{suffix}.yaml"
        changed = text.replace('match: "acupuncture.csv"', f'match: "acupuncture.{suffix}"\n    format: {name}')
        profile.write_text(changed, encoding="utf-8")
        feed = shared_data / "acupuncture_headache" / f"acupuncture.{suffix}"
        found[suffix] = marts(make_installation([feed], profile))
    return found


@pytest.mark.parametrize("suffix", ["xlsx", "sav"])
def test_the_trial_gives_byte_equal_marts_in_every_format(trial: dict[str, dict[str, bytes]], suffix: str) -> None:
    assert len(trial["csv"]["episode_outcome"].splitlines()) == 402
    for name, content in trial["csv"].items():
        assert trial[suffix][name] == content, name
