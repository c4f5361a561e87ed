"""Which release the one being built must not give away: the one in force, or the one it followed the first time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from assets.home import Home
from assets.publication import release

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    place = Home(tmp_path / "home", memory_limit="1GB")
    place.create()
    return place


def put_in_force(home: Home, identity: str, predecessor: str | None = None) -> None:
    folder = home.releases / identity
    folder.mkdir(exist_ok=True)
    release.write_manifest(folder, identity, (), "code", "1", {}, predecessor)
    home.current.unlink(missing_ok=True)
    home.current.symlink_to(folder.relative_to(home.path))


def test_the_release_in_force_comes_before_the_next(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "next_release", lambda _: "bbb")
    assert release.predecessor(home) is None
    put_in_force(home, "aaa")
    assert release.predecessor(home) == "aaa"


def test_a_release_built_again_follows_the_same_one(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "next_release", lambda _: "bbb")
    put_in_force(home, "aaa")
    put_in_force(home, "bbb")
    assert release.predecessor(home) is None  # it was the first
    put_in_force(home, "bbb", "aaa")
    assert release.predecessor(home) == "aaa"
    put_in_force(home, "bbb", "gone")
    assert release.predecessor(home) is None


def test_the_manifest_names_the_predecessor_if_there_is_one(home: Home) -> None:
    put_in_force(home, "aaa")
    assert "predecessor" not in json.loads((home.current / "manifest.json").read_text(encoding="utf-8"))
    put_in_force(home, "bbb", "aaa")
    assert json.loads((home.current / "manifest.json").read_text(encoding="utf-8"))["predecessor"] == "aaa"
