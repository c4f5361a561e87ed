"""A bundle of one clinic does not know the others, and bundles are written whole or not at all."""

from __future__ import annotations

import fcntl
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.deliveries.problems import InputProblem
from assets.publication import bundles as module
from assets.publication.audiences import AUDIENCES, OUTCOMES, PUBLIC
from assets.publication.bundle_frames import PEER_SIZE, SHOWN_OF_A_PEER, frames_for
from assets.publication.bundles import clinic_code, write_bundles
from dashboards.published import PEER
from tests.publication.conftest import OWN, PEERS, RELEASE, release_of

if TYPE_CHECKING:
    from pathlib import Path

    from assets.publication.audiences import Audience
    from assets.publication.bundles import Release

BY_NAME = {one.name: one for one in AUDIENCES}
CLINIC, OPS, EVERYBODY = BY_NAME["clinic"], BY_NAME["ops"], BY_NAME["public"]


def said(folder: Path) -> str:
    """Everything that the files of a bundle say, those that are packed unpacked."""
    texts = [
        pl.read_parquet(path).write_csv() if path.suffix == ".parquet" else path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return "\n".join(texts)


def names(clinic: str) -> tuple[str, ...]:
    return clinic, clinic.replace(" ", "_"), clinic.lower().replace(" ", "_")


# --- one clinic ----------------------------------------------------------------------------------------------------


def test_no_file_of_a_clinic_names_another(bundles: dict[str, Path]) -> None:
    text = said(bundles["clinic"])
    assert OWN in text
    for peer in PEERS:
        assert not [name for name in names(peer) if name in text]


def test_the_search_would_find_a_name(bundles: dict[str, Path]) -> None:
    text = said(bundles["network"])
    assert all(name in text for peer in PEERS for name in (peer, names(peer)[2]))


def test_rows_of_a_clinic_are_its_own_and_those_of_the_network(small_release: Release) -> None:
    found = frames_for(CLINIC, small_release.frames, OWN, RELEASE)
    for name in OUTCOMES & set(found):
        if "clinic_key" in found[name].columns and name != "clinic_funnel":
            keys = set(found[name]["clinic_key"].unique())
            assert keys <= {OWN, None}, name
    assert OWN in found["pain_change"]["clinic_key"]
    assert None in found["pain_change"]["clinic_key"].to_list()


def test_the_balance_of_covariates_names_the_clinic_only(small_release: Release) -> None:
    balance = frames_for(CLINIC, small_release.frames, OWN, RELEASE)["care_balance"]["covariate"]
    assert {name for name in balance if name.startswith("clinic_key=")} == {f"clinic_key={OWN}"}
    assert "age_years" in balance


def peers(release: Release, identity: str = RELEASE) -> pl.DataFrame:
    funnel = frames_for(CLINIC, release.frames, OWN, identity)["clinic_funnel"]
    return funnel.filter(pl.col("clinic_key").str.starts_with(PEER))


def test_other_clinics_are_points_with_a_rate_and_a_rounded_size(small_release: Release) -> None:
    found = peers(small_release)
    place = ["condition_id", "outcome_id"]
    compared = small_release.frames["clinic_funnel"].filter(
        (pl.col("clinic_key") != OWN) & pl.col("zone").is_not_null() & ~pl.col("suppressed")
    )
    assert found.height == compared.height > 0
    assert found["n"].to_list() == [n for n in found["n"] if n % PEER_SIZE == 0 and n > 0]
    assert sorted(found["value"]) == sorted(compared["value"])
    hidden = [name for name in found.columns if name not in SHOWN_OF_A_PEER]
    assert all(found[name].null_count() == found.height for name in hidden)
    numbered = found.group_by(place).agg(pl.col("clinic_key").sort())
    assert all(keys == [f"{PEER} {i}" for i in range(1, len(keys) + 1)] for keys in numbered["clinic_key"].to_list())


def test_the_order_of_other_clinics_tells_nothing_and_stays_within_a_release(small_release: Release) -> None:
    funnel = small_release.frames["clinic_funnel"].select("condition_id", "outcome_id", "value", real="clinic_key")
    place = ["condition_id", "outcome_id", "value"]

    def orders(identity: str) -> list[tuple[str, ...]]:
        known = peers(small_release, identity).join(funnel, on=place, nulls_equal=True)
        return [
            tuple(one.sort("clinic_key")["real"])
            for one in known.partition_by("condition_id", "outcome_id", maintain_order=True)
        ]

    assert len(set(orders(RELEASE))) > 1, "one order in all funnels would lead from one to the next"
    assert orders(RELEASE) == orders(RELEASE)
    assert orders(RELEASE) != orders("another")


def test_two_clinics_would_see_each_other_as_the_rest(tmp_path: Path) -> None:
    made, not_made = write_bundles(release_of((OWN, PEERS[0])), [CLINIC], None, tmp_path)
    assert made == []
    assert not_made == ["clinic: of two clinics each would see the other's numbers as the rest"]


def test_an_unknown_clinic_is_refused(small_release: Release, tmp_path: Path) -> None:
    with pytest.raises(InputProblem, match="no clinic in the release has this key"):
        write_bundles(small_release, [CLINIC], "../network", tmp_path)


# --- folders -------------------------------------------------------------------------------------------------------

HOSTILE = (
    *(
        "",
        ".",
        "..",
        "../../etc",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "a\0b",
        "CON",
        "con",
        "nul",
        "COM1",
        "A",
        "a",
        "ä",
        "Ä",
    ),
    *(
        "-rf",
        "name.",
        " name",
        "name",
        "Name",
        "x" * 5000,
        "x" * 40,
        "x" * 41,
        "\u202eevil",
        "\n",
        "~",
        "*",
        "north east",
    ),
    *("north-east", "north_east", clinic_code("Name"), clinic_code("a/b")),
)


def test_codes_are_safe_names_and_no_two_keys_share_one() -> None:
    codes = [clinic_code(key) for key in HOSTILE]
    for code in codes:
        assert set(code) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
        assert code[0] not in "-_"
        assert len(code) <= 60
        assert code not in ("con", "nul")
    assert len(set(codes)) == len(set(HOSTILE))
    assert clinic_code("north_east") == "north_east"


# --- writing -------------------------------------------------------------------------------------------------------


def test_two_builds_are_equal(small_release: Release, bundles: dict[str, Path], tmp_path: Path) -> None:
    (folder,), _ = write_bundles(small_release, [OPS], None, tmp_path)
    names_of = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    assert names_of
    assert all((folder / name).read_bytes() == (bundles["ops"] / name).read_bytes() for name in names_of)


@pytest.mark.parametrize(("audience", "folder", "file"), [(OPS, 0o750, 0o640), (EVERYBODY, 0o755, 0o644)])
def test_modes(bundles: dict[str, Path], audience: Audience, folder: int, file: int) -> None:
    root = bundles[audience.name]
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in (root, *root.rglob("*"))}
    assert modes == {(True, folder), (False, file)}
    assert (audience.profile == PUBLIC) is (folder == 0o755)


def quick(monkeypatch: pytest.MonkeyPatch, said_by: str = "new", *, broken: bool = False) -> None:
    """Pages of one file, or none because building them fails."""

    def build(*given: object) -> None:
        folder: Path = given[-1]  # type: ignore[assignment]
        (folder / "index.html").write_text(said_by)
        if broken:
            message = "no space left"
            raise OSError(message)

    monkeypatch.setattr(module, "build_site", build)


def test_a_failed_build_leaves_the_old_bundle(
    small_release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch, "old")
    (folder,), _ = write_bundles(small_release, [OPS], None, tmp_path)
    quick(monkeypatch, "half", broken=True)
    with pytest.raises(OSError, match="no space left"):
        write_bundles(small_release, [OPS], None, tmp_path)
    assert (folder / "index.html").read_text() == "old"
    quick(monkeypatch, "new")
    write_bundles(small_release, [OPS], None, tmp_path)
    assert (folder / "index.html").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "ops"]


def test_a_clinic_that_left_has_no_bundle_afterwards(
    small_release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    first, _ = write_bundles(small_release, [CLINIC], None, tmp_path)
    assert {path.name for path in first} == {clinic_code(key) for key in (OWN, *PEERS)}
    fewer = replace(small_release, frames=release_of((OWN, *PEERS[:2])).frames)
    second, _ = write_bundles(fewer, [CLINIC], None, tmp_path)
    assert {path.name for path in (tmp_path / "clinic").iterdir()} == {path.name for path in second}
    assert len(second) == 3
    (again,), _ = write_bundles(fewer, [CLINIC], OWN, tmp_path)
    assert again in second
    assert len(list((tmp_path / "clinic").iterdir())) == 3


def test_what_is_no_bundle_is_not_replaced(
    small_release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputProblem, match="something else than a bundle is there"):
        write_bundles(small_release, [OPS], None, tmp_path)
    assert (tmp_path / "ops" / "thesis.txt").read_text() == "years of work"
    (tmp_path / "public").symlink_to(tmp_path / "ops")
    with pytest.raises(InputProblem, match="something else than a bundle is there"):
        write_bundles(small_release, [EVERYBODY], None, tmp_path)


def test_two_writers_do_not_mix(small_release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick(monkeypatch)
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InputProblem, match="another command is writing"):
            write_bundles(small_release, [OPS], None, tmp_path)


def test_a_folder_that_cannot_be_made_is_said(small_release: Release, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputProblem, match="this folder cannot be written"):
        write_bundles(small_release, [OPS], None, tmp_path / "file" / "out")
