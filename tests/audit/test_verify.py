"""Whatever byte of a home is changed, ``verify`` finds it and names where; an untouched home is whole."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from assets.audit import history
from assets.audit.ledger import append, entries, ledger_file
from assets.audit.verify import verify
from assets.deliveries.ledger import State
from assets.home import Home
from pipelines.cli import cli
from tests.audit.conftest import PACK, release_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FLIPPED = (
    "audit/ledger.jsonl",
    "audit/history/[!.]*",
    "evidence/*/index.html",
    "evidence/*/SHA256SUMS",
    "evidence/*/trail.json",
    "releases/aaaa/manifest.json",
    "releases/bbbb/manifest.json",
    "releases/bbbb/seal.json",
    "releases/bbbb/rows.json",
    "releases/bbbb/warehouse.duckdb",
    "releases/bbbb/tables/clinic.parquet",
    "releases/bbbb/public/clinic.parquet",
    "releases/bbbb/site/index.html",
    "releases/bbbb/site/data/clinic.csv",
    "releases/bbbb/evidence-restricted/failing-keys/visit.schema.csv",
    "lake/*/raw/visit.csv",
    "lake/*/profile.yaml",
)


def places(home: Home, head: str | None = None) -> list[str]:
    return [one.where for one in verify(home, head).broken]


def cut(home: Home, lines: int) -> None:
    """Take lines off the end of the ledger."""
    path = ledger_file(home.path)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-lines]))


def test_an_untouched_home_is_whole(sealed_home: Home) -> None:
    verdict = verify(sealed_home)
    assert verdict.broken == ()
    assert (verdict.entries, verdict.releases, verdict.history_files, verdict.deliveries) == (6, 2, 2, 1)
    assert verdict.head == entries(sealed_home.path)[-1].hash


def test_a_home_in_which_nothing_was_ever_done_is_whole(tmp_path: Path) -> None:
    home = Home(tmp_path, memory_limit="1GB")
    home.create()
    assert verify(home).broken == ()


@pytest.mark.parametrize("pattern", FLIPPED)
def test_a_flipped_byte_is_found_and_its_file_is_named(sealed_home: Home, pattern: str) -> None:
    path = min(sealed_home.path.glob(pattern))
    whole = path.read_bytes()
    name = path.relative_to(sealed_home.path).as_posix()
    for position in {0, 1, len(whole) // 3, len(whole) // 2, len(whole) - 2, len(whole) - 1}:
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1 << position % 8]) + whole[position + 1 :])
        if path.suffix == ".yaml" and verify(sealed_home).broken == ():
            continue  # a blank or a comment of the profile: it means the same
        assert any(place.startswith(name) for place in places(sealed_home)), position
    path.write_bytes(whole)
    assert places(sealed_home) == []


def test_what_a_record_says_otherwise_than_the_release_made_from_it_is_found(sealed_home: Home) -> None:
    (path,) = sealed_home.lake.glob("*/delivery.json")
    whole = path.read_text(encoding="utf-8")
    for old, new in (
        ("2026-07-01T00:00:00Z", "2026-07-02T00:00:00Z"),
        ('"label": "visits_20260701T000000Z"', '"label": "visits"'),
        ('"profile_version": 1', '"profile_version": 2'),
        ('"sha256": "', '"sha256": "0'),
        ('"files": [', '"files": [['),
    ):
        assert old in whole
        path.write_text(whole.replace(old, new, 1), encoding="utf-8")
        assert f"lake/{path.parent.name}/delivery.json" in places(sealed_home), old


@pytest.mark.parametrize("pattern", [*FLIPPED[1:], "lake/*/delivery.json"])
def test_a_file_that_is_gone_is_named(sealed_home: Home, pattern: str) -> None:
    path = min(sealed_home.path.glob(pattern))
    path.unlink()
    assert any(place.startswith(path.relative_to(sealed_home.path).as_posix()) for place in places(sealed_home))


@pytest.mark.parametrize(
    "name",
    [
        "audit/history/00000009-20260701T000000Z-release.parquet",
        f"evidence/{PACK}/more.html",
        "evidence/2026-07-02_cccc/SHA256SUMS",
        "releases/bbbb/site/data/more.csv",
        "releases/bbbb/tables/more.parquet",
        "releases/bbbb/more.txt",
        "releases/cccc/manifest.json",
        "code/0123456789ab.zip",
    ],
)
def test_a_file_that_was_added_is_named(sealed_home: Home, name: str) -> None:
    path = sealed_home.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"{}")
    assert any(name.startswith(place) for place in places(sealed_home))


def test_a_raw_file_that_was_added_is_named(sealed_home: Home) -> None:
    (folder,) = sealed_home.lake.glob("*/raw")
    (folder / "more.csv").touch()
    assert places(sealed_home) == [f"lake/{folder.parent.name}/raw/more.csv"]


def test_of_a_delivery_that_was_refused_nothing_is_kept_and_nothing_is_missed(sealed_home: Home) -> None:
    (delivery,) = sealed_home.ledger.all()
    shutil.rmtree(sealed_home.ledger.folder(delivery.delivery_id) / "raw")
    assert len(places(sealed_home)) > 1
    sealed_home.ledger.save(replace(delivery, state=State.REJECTED))
    assert not any("/raw/" in place for place in places(sealed_home))


def test_typed_rows_that_were_changed_are_found_and_not_sealed_anew(sealed_home: Home) -> None:
    (delivery,) = sealed_home.ledger.all()
    folder = sealed_home.ledger.folder(delivery.delivery_id)
    rows = folder / "rows" / "visit.0.parquet"
    rows.write_text("other rows", encoding="utf-8")
    release_of(sealed_home, "cccc", delivery)
    named = f"lake/{delivery.delivery_id}/rows"
    assert places(sealed_home) == [named]
    rows.write_text("typed rows", encoding="utf-8")
    (folder / "rows" / "visit.1.parquet").touch()
    assert places(sealed_home) == [named]
    (folder / "rows" / "visit.1.parquet").unlink()
    assert places(sealed_home) == []


def test_a_delivery_that_was_read_again_has_other_rows_and_its_earlier_ones_are_still_looked_at(
    sealed_home: Home,
) -> None:
    (delivery,) = sealed_home.ledger.all()
    folder = sealed_home.ledger.folder(delivery.delivery_id)
    earlier = folder / "readings" / delivery.run_key
    shutil.copytree(folder / "rows", earlier / "rows")
    sealed_home.ledger.save(replace(delivery, contract_version="1"))
    (folder / "rows" / "visit.0.parquet").write_text("rows of the new reading", encoding="utf-8")
    assert places(sealed_home) == []
    (earlier / "rows" / "visit.0.parquet").write_text("other rows", encoding="utf-8")
    assert places(sealed_home) == [f"lake/{delivery.delivery_id}/readings/{delivery.run_key}/rows"]


def test_the_status_of_a_site_may_change(sealed_home: Home) -> None:
    (sealed_home.site / "status.js").write_text("held", encoding="utf-8")
    assert places(sealed_home) == []


@pytest.mark.parametrize("lines", [1, 2, 3, 4, 5, 6])
def test_a_ledger_that_lost_its_end_is_found(sealed_home: Home, lines: int) -> None:
    head = entries(sealed_home.path)[-1].hash
    cut(sealed_home, lines)
    assert "audit/ledger.jsonl" in places(sealed_home, head)
    # without a head known from elsewhere: whatever was sealed or quotes the ledger misses its entry
    only_a_decision = lines == 1
    assert (places(sealed_home) == []) is only_a_decision


def test_a_ledger_that_was_written_again_from_some_entry_on_is_found(sealed_home: Home) -> None:
    """The forger knows the rules and makes a chain that holds; what quotes the old one tells."""
    first, *others = entries(sealed_home.path)
    cut(sealed_home, len(others))
    append(sealed_home.path, "waiver", {"check_id": "forged"}, "A. Steward")
    for entry in others:
        append(sealed_home.path, entry.kind, entry.body, entry.by)
    assert entries(sealed_home.path)[0] == first
    assert places(sealed_home) == ["releases/aaaa/seal.json", "releases/bbbb/seal.json", f"evidence/{PACK}/trail.json"]


def test_the_head_given_may_be_the_beginning_of_an_earlier_one(sealed_home: Home) -> None:
    early = entries(sealed_home.path)[1].hash[:16]
    assert places(sealed_home, early) == []
    assert places(sealed_home, "0" * 16) == ["audit/ledger.jsonl"]


def test_a_line_that_a_crash_cut_short_is_said_until_the_next_entry_says_it(sealed_home: Home) -> None:
    with ledger_file(sealed_home.path).open("ab") as file:
        file.write(b'{"at":"2026')
    assert places(sealed_home) == ["audit/ledger.jsonl"]
    append(sealed_home.path, "held", {"checks": [], "release": None})
    assert places(sealed_home) == []
    assert entries(sealed_home.path)[-2].kind == "lost"


def test_a_history_file_whose_writer_died_before_naming_it_is_not_broken(sealed_home: Home) -> None:
    *_, path = sorted((sealed_home.path / "audit" / "history").glob("[!.]*"))
    path.rename(path.with_name(f".{path.name}"))
    assert places(sealed_home) == []


def test_a_fold_that_says_something_else_is_named(sealed_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "FOLD_AFTER", 0)
    frame = history.history(sealed_home).collect().head(1).drop("number", "at", "release")
    history.record(sealed_home, frame, "r2", None)
    fold = sealed_home.path / "audit" / "history.parquet"
    assert places(sealed_home) == []
    fold.write_bytes(fold.read_bytes()[:-1] + b"?")
    assert places(sealed_home) == ["audit/history.parquet"]


def test_what_was_kept_before_there_was_a_ledger_is_sealed_with_the_next_release(sealed_home: Home) -> None:
    ledger_file(sealed_home.path).unlink()
    for path in (sealed_home.path / "audit" / "history").iterdir():
        path.unlink()
    (sealed_home.path / "evidence" / PACK / "trail.json").unlink()
    sums = sealed_home.path / "evidence" / PACK / "SHA256SUMS"
    sums.write_text(sums.read_text(encoding="utf-8").splitlines(keepends=True)[0], encoding="utf-8")
    release_of(sealed_home, "cccc")
    assert places(sealed_home) == []
    assert [entry.body.get("was_there_before", False) for entry in entries(sealed_home.path)] == [True] * 3 + [False]


def test_a_release_that_was_made_again_is_sealed_again(sealed_home: Home) -> None:
    release_of(sealed_home, "bbbb")
    assert places(sealed_home) == []


def test_a_pointer_to_a_release_that_is_gone(sealed_home: Home) -> None:
    sealed_home.current.unlink()
    sealed_home.current.symlink_to("releases/gone")
    assert places(sealed_home) == ["current"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(lambda _: None, 0, id="whole"),
        pytest.param(lambda home: (home.site / "index.html").write_text("CANARY"), 1, id="a page changed"),
    ],
)
def test_the_command_says_it_and_ends_with_it(sealed_home: Home, change: Callable[[Home], object], code: int) -> None:
    change(sealed_home)
    call = ["audit", "verify", "--home", str(sealed_home.path)]
    said = CliRunner().invoke(cli, call)
    assert said.exit_code == code
    assert "CANARY" not in said.output
    told = json.loads(CliRunner().invoke(cli, [*call, "--json"]).output)
    assert told["head"] in said.output
    assert [one["where"] for one in told["broken"]] == (["releases/bbbb/site/index.html"] if code else [])
    assert CliRunner().invoke(cli, [*call, "--head", "abc"]).exit_code == 2


def test_the_log_says_who_decided_what(sealed_home: Home) -> None:
    call = ["audit", "log", "--home", str(sealed_home.path), "--kind", "waiver"]
    assert "waiver by A. Steward: check_id visit.schema; until 2026-12-31" in CliRunner().invoke(cli, call).output
    (told,) = json.loads(CliRunner().invoke(cli, [*call, "--json"]).output)
    assert told["body"] == {"check_id": "visit.schema", "until": "2026-12-31"}
