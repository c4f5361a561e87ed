"""What is taken from a landing folder, under which names, and what an interrupted copy leaves behind."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from assets.contract import CONTRACT
from assets.deliveries import landing
from assets.deliveries.landing import READINGS, find_deliveries, land, sweep
from assets.deliveries.ledger import Ledger, State
from assets.deliveries.problems import InputProblem

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deliveries.conftest import Reader

ONE = """
profile: one
version: 1
description: One file
privacy_mode: safe_harbor
files:
  - {match: "*.csv", tables: [{table: precaution, fields: same_names}]}
"""
TWO = """
profile: two
version: 1
description: Two files
privacy_mode: safe_harbor
extract_stamp: 2025-01-02
files:
  - {match: "patient.csv", tables: [{table: patient, fields: same_names}]}
  - {match: "precaution*.csv", tables: [{table: precaution, fields: same_names}], optional: true}
"""
PRECAUTIONS = "patient_key,precaution_type,present\nP1,pregnancy,no\n"


def code(feed: Path, reader: Reader, profile: str = ONE) -> str:
    with pytest.raises(InputProblem) as caught:
        find_deliveries([feed], reader.profile(profile))
    return caught.value.code


def problems(feed: Path, reader: Reader, profile: str = ONE) -> list[str]:
    return [problem.code for problem in find_deliveries([feed], reader.profile(profile)).problems]


def test_paths_that_are_nothing(reader: Reader, tmp_path: Path) -> None:
    assert code(tmp_path / "nowhere.csv", reader) == "NOT_FOUND"
    assert code(reader.write({}), reader) == "NOT_FOUND"
    assert code(reader.write({"other.txt": "x"}), reader) == "NOT_FOUND"
    os.mkfifo(tmp_path / "pipe.csv")
    assert code(tmp_path / "pipe.csv", reader) == "NOT_A_FILE"


def test_links_are_refused_or_passed_over(reader: Reader, tmp_path: Path) -> None:
    feed = reader.write({"a.csv": PRECAUTIONS})
    (tmp_path / "secret.csv").write_text(PRECAUTIONS)
    (feed / "b.csv").symlink_to(tmp_path / "secret.csv")
    (feed / "c").symlink_to(tmp_path)
    assert code(feed / "b.csv", reader) == "SYMLINK"
    found = find_deliveries([feed], reader.profile(ONE))
    assert [sent.label for sent in found.sent] == ["a.csv"]
    assert [problem.code for problem in found.problems] == ["SYMLINK"]


def test_folders_called_csv_and_hidden_files_are_no_deliveries(reader: Reader) -> None:
    feed = reader.write({"a.csv": PRECAUTIONS, ".b.csv": PRECAUTIONS, "._a.csv": "x"})
    (feed / "c.csv").mkdir()
    assert [sent.label for sent in find_deliveries([feed], reader.profile(ONE)).sent] == ["a.csv"]


@pytest.mark.parametrize(
    "name", ["a\tb.csv", "a'b.csv", "\u00e9.csv", "a\n.csv", "-a.csv", "a;b.csv", "$(id).csv", "x" * 130 + ".csv"]
)
def test_unsafe_names_are_refused_and_not_repeated(reader: Reader, name: str) -> None:
    feed = reader.write({name: PRECAUTIONS})
    (feed / "clean.csv").write_text(PRECAUTIONS)
    for path, profile in ((feed, ONE), (feed / name, ONE), (feed / name, TWO)):
        found = find_deliveries([path], reader.profile(profile))
        (problem,) = found.problems
        assert problem.code == "FILENAME"
        assert name not in str(problem)
        assert [sent.label for sent in found.sent] == (["clean.csv"] if path == feed else [])


def test_unsafe_name_in_a_folder_of_several_files(reader: Reader) -> None:
    assert problems(reader.write({"patient.csv": "x", "precaution;1.csv": "x"}), reader, TWO) == ["FILENAME"]


def test_a_file_that_fits_no_pattern(reader: Reader) -> None:
    feed = reader.write({"other.csv": "x"})
    assert problems(feed / "other.csv", reader, TWO) == ["FILENAME"]
    (sent,) = find_deliveries([feed / "other.csv"], reader.profile(ONE.replace("*.csv", "scores.csv"))).sent
    assert sent.label == "other.csv"


def test_grouping(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = reader.write({"a.csv": "x", "b.csv": "y"})
    assert [sent.label for sent in find_deliveries([feed], reader.profile(ONE)).sent] == ["a.csv", "b.csv"]
    folder = reader.write({})
    for clinic in ("north", "south"):
        (folder / clinic).mkdir()
        (folder / clinic / "patient.csv").write_text("x")
        (folder / clinic / "precaution1.csv").write_text("x")
    two = reader.profile(TWO)
    found = find_deliveries([folder], two).sent
    assert [(sent.label, len(sent.files)) for sent in found] == [("north", 2), ("south", 2)]
    monkeypatch.chdir(folder / "north")
    from pathlib import Path  # noqa: PLC0415 only this test needs it at run time

    assert [sent.label for sent in find_deliveries([Path()], two).sent] == ["north"]


def test_same_content_twice_is_nothing_to_do(reader: Reader) -> None:
    profile = reader.profile(ONE)
    first = reader.feed(reader.write({"a.csv": PRECAUTIONS}), profile)
    settled = first.delivery.rejected_because("TEST", "settled")
    reader.ledger.save(settled)
    (again,) = find_deliveries([reader.write({"renamed.csv": PRECAUTIONS})], profile).sent
    assert land(again, profile, CONTRACT.version, reader.ledger) == (settled, False)
    assert len(reader.ledger.all()) == 1


def test_changed_profile_or_contract_is_read_again(reader: Reader) -> None:
    profile = reader.profile(ONE)
    feed = reader.write({"a.csv": PRECAUTIONS})
    reader.ledger.save(reader.feed(feed, profile).delivery.rejected_because("TEST", "settled"))
    (sent,) = find_deliveries([feed], profile).sent
    other = reader.profile(ONE.replace("version: 1", "version: 2"))
    assert land(sent, other, CONTRACT.version, reader.ledger)[1]
    reader.ledger.save(reader.feed(feed, profile).delivery.rejected_because("TEST", "settled"))
    assert land(sent, profile, "other", reader.ledger)[1]


def test_unfinished_reading_is_taken_up_again(reader: Reader) -> None:
    profile = reader.profile(ONE)
    (sent,) = find_deliveries([reader.write({"a.csv": PRECAUTIONS})], profile).sent
    assert land(sent, profile, CONTRACT.version, reader.ledger)[1]
    delivery, is_new = land(sent, profile, CONTRACT.version, reader.ledger)
    assert is_new
    assert delivery.state is State.LANDED


def test_copy_is_private_and_complete(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "CHUNK_BYTES", 7)
    profile = reader.profile(ONE)
    (sent,) = find_deliveries([reader.write({"clinic_20250301T101112Z.csv": PRECAUTIONS})], profile).sent
    delivery, _ = land(sent, profile, CONTRACT.version, reader.ledger)
    copy = reader.ledger.folder(delivery.delivery_id) / "raw" / "clinic_20250301T101112Z.csv"
    assert copy.read_text(encoding="utf-8") == PRECAUTIONS
    assert copy.stat().st_mode & 0o077 == 0
    assert copy.parent.parent.stat().st_mode & 0o077 == 0
    assert delivery.extract_stamp == "2025-03-01T10:11:12Z"
    assert delivery.files[0].size_bytes == len(PRECAUTIONS)


def test_stamp_of_the_profile_where_the_name_has_none(reader: Reader) -> None:
    profile = reader.profile(TWO)
    (sent,) = find_deliveries([reader.write({"patient.csv": "x"})], profile).sent
    assert land(sent, profile, CONTRACT.version, reader.ledger)[0].extract_stamp == "2025-01-02T00:00:00Z"


def test_interrupted_copy_leaves_no_delivery(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """What kill -9 leaves: everything so far is in .incoming, which nobody reads."""
    profile = reader.profile(ONE)
    (sent,) = find_deliveries([reader.write({"a.csv": PRECAUTIONS})], profile).sent

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(landing.shutil, "rmtree", lambda *_args, **_kwargs: None)
        patch.setattr(landing, "identity", killed)
        with pytest.raises(KeyboardInterrupt):
            land(sent, profile, CONTRACT.version, reader.ledger)
    (left,) = reader.ledger.lake.iterdir()
    assert left.name.startswith(".incoming-")
    assert reader.ledger.all() == ()
    assert land(sent, profile, CONTRACT.version, reader.ledger)[1]
    sweep(reader.ledger)
    assert not left.exists()
    assert len(reader.ledger.all()) == 1


def test_compressed_files_fit_the_pattern_of_what_they_hold(reader: Reader) -> None:
    feed = reader.write({"patient.csv.gz": "x", "precaution1.csv.zip": "x", "patient.csv.gz.part": "x"})
    (sent,) = find_deliveries([feed], reader.profile(TWO)).sent
    assert [path.name for _, path in sent.files] == ["patient.csv.gz", "precaution1.csv.zip"]


@pytest.mark.parametrize("name", ["manifest.sha256", "SHA256SUMS"])
def test_a_folder_is_landed_when_it_is_what_its_manifest_says(reader: Reader, name: str) -> None:
    profile = reader.profile(TWO)
    digests = {file: hashlib.sha256(file.encode()).hexdigest() for file in ("patient.csv", "precaution.csv")}
    listing = "".join(f"{digest}  {file}\n" for file, digest in digests.items())
    whole = {"patient.csv": "patient.csv", "precaution.csv": "precaution.csv"}
    (sent,) = find_deliveries([reader.write({**whole, name: listing})], profile).sent
    assert land(sent, profile, CONTRACT.version, reader.ledger)[1]
    for files in ({"patient.csv": "patient.csv"}, {**whole, "precaution.csv": "half"}):
        (sent,) = find_deliveries([reader.write({**files, name: listing})], profile).sent
        with pytest.raises(InputProblem, match="not what the manifest says"):
            land(sent, profile, CONTRACT.version, reader.ledger)
    assert len(reader.ledger.all()) == 1


def test_a_file_with_a_hash_of_its_own(reader: Reader) -> None:
    profile = reader.profile(ONE)
    digest = hashlib.sha256(PRECAUTIONS.encode()).hexdigest()
    files = {"a.csv": PRECAUTIONS, "a.csv.sha256": f"{digest}  a.csv\n"}
    (sent,) = find_deliveries([reader.write(files)], profile).sent
    assert land(sent, profile, CONTRACT.version, reader.ledger)[1]
    (sent,) = find_deliveries([reader.write(files | {"a.csv": "x"})], profile).sent
    with pytest.raises(InputProblem, match="manifest"):
        land(sent, profile, CONTRACT.version, reader.ledger)


def test_a_file_that_grows_while_it_is_copied(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = reader.profile(ONE)
    feed = reader.write({"a.csv": PRECAUTIONS})
    (sent,) = find_deliveries([feed], profile).sent
    state = os.fstat

    def grown(descriptor: int) -> os.stat_result:
        found = state(descriptor)
        with (feed / "a.csv").open("a") as file:
            file.write("P2,pregnancy,no\n")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(landing.os, "fstat", grown)
        with pytest.raises(InputProblem, match="still being written"):
            land(sent, profile, CONTRACT.version, reader.ledger)
    assert land(sent, profile, CONTRACT.version, reader.ledger)[1]


def test_the_ledger_says_who_and_when_and_keeps_it_when_read_again(reader: Reader) -> None:
    first = reader.feed(reader.write({"a.csv": PRECAUTIONS}), reader.profile(ONE)).delivery
    assert first.landed_by
    assert first.landed_at.endswith("Z")
    (reader.folder / "lake" / first.delivery_id / "checks.parquet").write_text("history")
    again = reader.feed(reader.write({"a.csv": PRECAUTIONS}), reader.profile(ONE.replace("version: 1", "version: 2")))
    assert again.delivery.profile_version == 2
    assert (again.delivery.landed_at, again.delivery.landed_by) == (first.landed_at, first.landed_by)
    assert (again.folder / "checks.parquet").read_text() == "history"


def accepted(reader: Reader, version: int) -> Path:
    """Read the same content under a version of its profile, and accept it; return where the earlier readings are."""
    read = reader.feed(
        reader.write({"a.csv": PRECAUTIONS}), reader.profile(ONE.replace("version: 1", f"version: {version}"))
    )
    reader.ledger.save(replace(read.delivery, state=State.ACCEPTED))
    return read.folder / READINGS


def test_a_reading_that_is_replaced_is_kept_without_the_raw_files(reader: Reader) -> None:
    readings = accepted(reader, 1)
    assert not readings.exists()
    first = reader.ledger.all()[0]
    rows = (readings.parent / "rows" / "precaution.0.parquet").read_bytes()
    accepted(reader, 2)
    second = reader.ledger.all()[0]
    accepted(reader, 3)
    assert {path.name for path in readings.iterdir()} == {first.run_key, second.run_key}
    kept = Ledger(readings).find(first.run_key)
    assert kept == first
    assert (readings / first.run_key / "rows" / "precaution.0.parquet").read_bytes() == rows
    assert not list(readings.glob("*/raw"))
    assert not list(readings.glob("*/readings"))
    assert [delivery.profile_version for delivery in reader.ledger.all()] == [3]


def test_a_refused_reading_leaves_nothing_of_those_before(reader: Reader) -> None:
    readings = accepted(reader, 1)
    accepted(reader, 2)
    assert list(readings.iterdir())
    wrong = ONE.replace("version: 1", "version: 3").replace('"*.csv",', '"*.csv", delimiter: "|",')
    read = reader.feed(reader.write({"a.csv": PRECAUTIONS}), reader.profile(wrong))
    assert read.delivery.state is State.REJECTED
    assert not list(readings.iterdir())


def test_file_that_cannot_be_opened(reader: Reader) -> None:
    profile = reader.profile(ONE)
    feed = reader.write({"a.csv": PRECAUTIONS})
    (sent,) = find_deliveries([feed], profile).sent
    (feed / "a.csv").unlink()
    with pytest.raises(InputProblem) as caught:
        land(sent, profile, CONTRACT.version, reader.ledger)
    assert caught.value.code == "UNREADABLE"


def test_what_was_replaced_after_it_was_found_is_not_followed(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("secret")
    feed = reader.write({"b.csv": "other"}) / "a.csv"

    def link() -> None:
        feed.symlink_to(tmp_path / "secret.csv")

    for replaced in (link, lambda: os.mkfifo(feed), feed.mkdir):
        feed.write_text("key\n1\n")
        (found,) = find_deliveries([feed], reader.profile(ONE)).sent
        feed.unlink()
        replaced()
        with pytest.raises(InputProblem) as caught:
            land(found, reader.profile(ONE), "1", reader.ledger)
        assert caught.value.code == "UNREADABLE"
        feed.rmdir() if feed.is_dir() else feed.unlink()
    assert not list(reader.ledger.lake.iterdir())


def test_a_manifest_that_is_no_list_is_not_read_whole(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = reader.write({"a.csv": PRECAUTIONS}) / "a.csv"
    digest = hashlib.sha256(feed.read_bytes()).hexdigest()
    feed.with_name("a.csv.sha256").write_text(f"{digest}  a.csv\n")
    (found,) = find_deliveries([feed], reader.profile(ONE)).sent
    land(found, reader.profile(ONE), "1", reader.ledger)
    monkeypatch.setattr(landing, "MANIFEST_BYTES", 50)
    with pytest.raises(InputProblem) as caught:
        land(found, reader.profile(ONE), "1", reader.ledger)
    assert caught.value.code == "INCOMPLETE"


def test_folders_without_end_are_left(reader: Reader) -> None:
    feed = folder = reader.write({})
    for _ in range(landing.DEEPEST_FOLDER):
        folder /= "a"
    folder.mkdir(parents=True)
    (folder / "deep.csv").write_text("key\n1\n")
    (feed / "a" / "near.csv").write_text("key\n1\n")
    found = find_deliveries([feed], reader.profile(ONE))
    assert [sent.label for sent in found.sent] == ["near.csv"]
    assert [problem.code for problem in found.problems] == ["UNREADABLE"]
