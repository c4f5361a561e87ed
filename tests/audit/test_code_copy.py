"""The code of releases, kept."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from assets.audit.code_copy import code_archive, code_contents, code_digest, keep_code, pack_code, unpack_code
from assets.deliveries.problems import InputProblem
from assets.packages import package_versions

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = {"python": "3.11.0", "duckdb": "2.0.0"}
CONTENTS = {"assets/a.py": b"one = 1\n", "sql/staging/x.sql": b"select 1\n"}
VERSION = code_digest(PACKAGES, CONTENTS)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    pack_code(code_archive(tmp_path, VERSION), PACKAGES, CONTENTS)
    return tmp_path


def test_the_running_code_comes_back_as_it_was(tmp_path: Path) -> None:
    contents, packages = code_contents(), package_versions()
    version = code_digest(packages, contents)
    keep_code(tmp_path, version, packages, ())
    assert unpack_code(tmp_path, version, tmp_path / "out") == packages
    assert code_contents(tmp_path / "out") == contents
    assert stat.S_IMODE(code_archive(tmp_path, version).stat().st_mode) == 0o600


def test_code_that_was_exchanged_while_it_ran_is_not_kept(tmp_path: Path) -> None:
    keep_code(tmp_path, "0123456789ab", package_versions(), ())
    assert list((tmp_path / "code").iterdir()) == []


def test_archives_of_versions_that_no_release_needs_are_dropped(home: Path) -> None:
    needed = code_archive(home, "aaaaaaaaaaaa")
    pack_code(needed, PACKAGES, {})
    keep_code(home, "0123456789ab", package_versions(), {"aaaaaaaaaaaa"})
    assert list((home / "code").iterdir()) == [needed]


def test_the_same_code_gives_the_same_bytes(home: Path) -> None:
    again = home / "again.zip"
    pack_code(again, PACKAGES, CONTENTS)
    assert again.read_bytes() == code_archive(home, VERSION).read_bytes()


def test_changed_code_is_refused(home: Path) -> None:
    pack_code(code_archive(home, VERSION), PACKAGES, CONTENTS | {"assets/a.py": b"one = 2\n"})
    with pytest.raises(InputProblem, match="not that of its version"):
        unpack_code(home, VERSION, home / "out")


def test_other_packages_are_another_version(home: Path) -> None:
    pack_code(code_archive(home, VERSION), PACKAGES | {"duckdb": "2.0.1"}, CONTENTS)
    with pytest.raises(InputProblem, match="not that of its version"):
        unpack_code(home, VERSION, home / "out")


@pytest.mark.parametrize("place", [0, 40, -30])
def test_a_flipped_byte_is_found(home: Path, place: int) -> None:
    archive = code_archive(home, VERSION)
    content = bytearray(archive.read_bytes())
    content[place] ^= 1
    archive.write_bytes(content)
    with pytest.raises(InputProblem, match="not that of its version"):
        unpack_code(home, VERSION, home / "out")


def test_code_that_was_not_kept_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(InputProblem, match="was not kept"):
        unpack_code(tmp_path, VERSION, tmp_path / "out")
