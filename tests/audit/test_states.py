"""From two kept releases to the split, with releases whose code is a few lines: each state runs what it should."""

from __future__ import annotations

import datetime as dt
import json
import stat
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from click.testing import CliRunner

from assets.audit.code_copy import code_archive, code_digest, pack_code
from assets.audit.diff import CODE, DECISIONS, DEFINITIONS, LATE, PARTS, PERIOD
from assets.audit.ledger import append
from assets.audit.periods import EPISODE, VISIT
from assets.deliveries.landing import READINGS
from assets.deliveries.ledger import Delivery, Ledger, State
from assets.deliveries.problems import InputProblem
from assets.home import Home
from assets.packages import package_versions
from assets.publication.publish import STATISTICS, TABLES
from assets.publication.release import switch_in, write_manifest
from assets.warehouse.connection import connect
from pipelines.cli import cli
from pipelines.release_diff import ReleaseDiff, diff_releases

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EPOCH = dt.date(1970, 1, 1)
OLD, NEW = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
REBUILD = "assets/audit/rebuild.py"
WEIGHT = "assets/contract/weight.py"
STUB = """
import json, pathlib, sys
import polars as pl
from assets.contract.weight import WEIGHT

home, out, *_ = map(pathlib.Path, sys.argv[1:])
visits = sum(pl.read_parquet(path).height for path in home.glob("lake/*/rows/visit.*.parquet"))
ledger = home / "audit" / "ledger.jsonl"
kinds = [json.loads(line)["kind"] for line in ledger.read_text().splitlines()] if ledger.exists() else []
n = visits * WEIGHT + CODE + 100 * kinds.count("waiver") + 1000 * kinds.count("threshold")
pl.DataFrame({"session_kind": ["all"], "n": [n]}).write_parquet(out / "adverse_event_chart.parquet")
pl.DataFrame({"delivery_id": ["all"], "rows": [visits]}).write_parquet(out / "conservation.parquet")
"""


def code(*, number: int = 1, weight: int = 2) -> dict[str, bytes]:
    """Code that counts visits: a weight that the contract states, and a number of its own."""
    return {
        "assets/__init__.py": b"",
        "assets/audit/__init__.py": b"",
        REBUILD: STUB.replace("CODE", str(number)).encode(),
        "assets/contract/__init__.py": b"",
        WEIGHT: f"WEIGHT = {weight}\n".encode(),
    }


def statistics(visits: int, total: int) -> dict[str, pl.DataFrame]:
    return {
        "adverse_event_chart": pl.DataFrame({"session_kind": ["all"], "n": [total]}),
        "conservation": pl.DataFrame({"delivery_id": ["all"], "rows": [visits]}),
    }


def deliver(home: Home, name: str, stamp: str, days: tuple[str, ...], digest: str = "f" * 64) -> Delivery:
    """A delivery of visits of one episode."""
    one = Delivery(name, name, (), stamp, "canonical", 1, digest, "2", State.ACCEPTED, privacy_mode="limited_data_set")
    folder = home.ledger.folder(name)
    (folder / "rows").mkdir(parents=True, exist_ok=True)
    home.ledger.save(one)
    visits = [(f"V-{day}", "E1", None, (dt.date.fromisoformat(day) - EPOCH).days, True) for day in days]
    accepted = {"accepted": pl.Boolean()}
    pl.DataFrame(visits, schema=VISIT | accepted, orient="row").write_parquet(folder / "rows" / "visit.0.parquet")
    episode = [("E1", "P1", "Harbour", "still_open", None, None, True)]
    pl.DataFrame(episode, schema=EPISODE | accepted, orient="row").write_parquet(folder / "rows" / "episode.1.parquet")
    return one


def release(
    home: Home, identity: str, deliveries: list[Delivery], contents: Mapping[str, bytes], visits: int, total: int
) -> None:
    frames = statistics(visits, total)
    (home.building / TABLES).mkdir(parents=True)
    with connect(home.building / "warehouse.duckdb", home=home.path) as connection:
        connection.execute(f"create schema {STATISTICS}")
        for name, frame in frames.items():
            connection.register("frame", frame)
            connection.execute(f"create table {STATISTICS}.{name} as select * from frame")
            frame.write_parquet(home.building / TABLES / f"{name}.parquet")
    version = code_digest(package_versions(), contents)
    write_manifest(home.building, identity, deliveries, version, "2", {}, None)
    archive = code_archive(home.path, version)
    archive.parent.mkdir(exist_ok=True)
    pack_code(archive, package_versions(), contents)
    append(home.path, "release", {"release": identity})
    switch_in(home, identity)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a release of three visits by the old code: 3 * 2 + 1."""
    made = Home(tmp_path, "1GB")
    made.create()
    first = deliver(made, "first", "2026-01-01T02:00:00Z", ("2025-12-01", "2025-12-02", "2025-12-03"))
    release(made, OLD, [first], code(), 3, 7)
    return made


def second(home: Home) -> list[Delivery]:
    """One late visit, two of a new period."""
    later = deliver(home, "second", "2026-02-01T02:00:00Z", ("2025-12-10", "2026-01-10", "2026-01-11"))
    first = home.ledger.find("first")
    assert first is not None
    return [first, later]


def split(home: Home) -> tuple[ReleaseDiff, dict[str, Any], list[str]]:
    said: list[str] = []
    found = diff_releases(home, OLD, NEW, said.append)
    row = found.numbers.row(by_predicate=pl.col("table_name") == "adverse_event_chart", named=True)
    return found, row, said


def test_everything_at_once(home: Home) -> None:
    append(home.path, "waiver", {"check_id": "x"})
    append(home.path, "threshold", {"check_id": "x"})
    release(home, NEW, second(home), code(number=5, weight=3), 6, 6 * 3 + 5 + 1100)
    found, row, said = split(home)
    assert {part: row[part] for part in PARTS} == {
        LATE: 2,  # one visit
        PERIOD: 4,  # two
        DECISIONS: 100,
        DEFINITIONS: 6 + 1000,  # six visits weigh one more each, and a threshold
        CODE: 4,
    }
    assert (row["moved"], row["printing"], row["cause"]) == (1116, 0, DEFINITIONS)
    assert (row["rules_on_old"], row["rules_on_new"], row["interaction"]) == (3 + 4 + 1100, 6 + 4 + 1100, 3)
    assert sorted(said) == [
        "Building new code on old deliveries",
        "Building old code on late and corrected records",
        "Building old code on new deliveries",
        "Building old code with new decisions on new deliveries",
        "Building old code with new definitions with new decisions on new deliveries",
    ]
    rows = found.numbers.row(by_predicate=pl.col("table_name") == "conservation", named=True)
    assert (rows[LATE], rows[PERIOD]) == (0, 3)


def test_states_whose_inputs_are_equal_are_not_built(home: Home) -> None:
    release(home, NEW, second(home), code(), 6, 13)
    _, row, said = split(home)
    assert said == ["Building old code on late and corrected records"]
    assert (row[LATE], row[PERIOD], row["interaction"]) == (2, 4, 0)


def test_only_code_needs_no_state(home: Home) -> None:
    release(home, NEW, list(home.ledger.all()), code(number=9), 3, 15)
    _, row, said = split(home)
    assert (row[CODE], said) == (8, [])


def test_only_a_new_period_needs_no_state(home: Home) -> None:
    later = deliver(home, "second", "2026-02-01T02:00:00Z", ("2026-01-10",))
    (home.ledger.folder("second") / "rows" / "episode.1.parquet").unlink()  # or the episode would be said again
    release(home, NEW, [*home.ledger.all()], code(), 4, 9)
    _, row, said = split(home)
    assert later.state is State.ACCEPTED
    assert (row[PERIOD], row[LATE], said) == (2, 0, [])


def test_definitions_with_which_the_old_code_does_not_run_stand_under_code(home: Home) -> None:
    contents = code(number=5)
    del contents[WEIGHT]
    contents["assets/contract/heavy.py"] = b"HEAVY = 3\n"
    contents[REBUILD] = contents[REBUILD].replace(b".weight import WEIGHT", b".heavy import HEAVY as WEIGHT")
    release(home, NEW, list(home.ledger.all()), contents, 3, 14)
    found, row, _ = split(home)
    assert (row[DEFINITIONS], row[CODE]) == (0, 7)
    assert "does not run with the definitions of the second" in " ".join(found.meta.notes)
    assert "does not run with the definitions" in found.page.read_text(encoding="utf-8")


def test_a_delivery_that_was_read_again_is_a_correction(home: Home) -> None:
    folder = home.ledger.folder("first")
    first = home.ledger.find("first")
    assert first is not None
    kept = folder / READINGS / first.run_key
    kept.mkdir(parents=True)
    (folder / "rows").rename(kept / "rows")
    Ledger(folder / READINGS).save(first)
    (kept.parent / "first" / "delivery.json").rename(kept / "delivery.json")
    again = deliver(home, "first", "2026-01-01T02:00:00Z", ("2025-12-01",), digest="e" * 64)
    release(home, NEW, [again], code(number=2), 1, 4)
    _, row, said = split(home)
    assert (row[LATE], row[PERIOD], row[CODE]) == (-4, 0, 1)
    assert sorted(said) == ["Building new code on old deliveries", "Building old code on new deliveries"]


def test_code_that_does_not_run_on_the_other_deliveries_is_said(home: Home) -> None:
    contents = code()
    contents[REBUILD] = b"raise SystemExit('a name of a patient')\n"
    release(home, NEW, second(home), contents, 6, 13)
    with pytest.raises(InputProblem, match="new code on old deliveries: it does not run") as raised:
        diff_releases(home, OLD, NEW, lambda _: None)
    assert "patient" not in str(raised.value)
    assert not list(home.path.glob(".check-*"))


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        ("release", "no release of this name is kept"),
        ("code", "was not kept"),
        ("reading", "the reading before was not kept"),
        ("manifest", "before readings were recorded"),
    ],
)
def test_what_is_missing_is_said(home: Home, spoil: str, match: str) -> None:
    release(home, NEW, second(home), code(number=5), 6, 17)
    first = NEW if spoil != "release" else "cccccccccccc"
    if spoil == "code":
        for archive in (home.path / "code").iterdir():
            archive.unlink()
    if spoil == "reading":
        deliver(home, "second", "2026-02-01T02:00:00Z", (), digest="e" * 64)
    if spoil == "manifest":
        manifest = home.releases / NEW / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"reading"', '"other"'))
    with pytest.raises(InputProblem, match=match):
        diff_releases(home, OLD, first, lambda _: None)


def test_the_command_writes_a_page_that_only_the_owner_can_read(home: Home) -> None:
    release(home, NEW, second(home), code(), 6, 13)
    result = CliRunner().invoke(cli, ["audit", "diff", OLD, NEW, "--home", str(home.path), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["moved"] == 2
    assert told["mostly_by"][PERIOD] == 2
    folder = home.path / "audit" / "diffs" / f"{OLD}_{NEW}"
    assert told["page"] == str(folder / "index.html")
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == dict.fromkeys(
        ("index.html", "numbers.csv", "numbers.parquet"), 0o600
    )
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    words = CliRunner().invoke(cli, ["audit", "diff", OLD, NEW, "--home", str(home.path)]).stdout
    assert "2 of 2 published numbers moved; 2 of them mostly by this: new period." in words


def test_nothing_of_the_home_is_changed(home: Home) -> None:
    release(home, NEW, second(home), code(number=5), 6, 17)
    before = {path: path.read_bytes() for path in home.path.rglob("*") if path.is_file()}
    diff_releases(home, OLD, NEW, lambda _: None)
    after = {path: path.read_bytes() for path in home.path.rglob("*") if path.is_file() and "diffs" not in path.parts}
    assert after.keys() - before.keys() <= {home.path / ".lock"}
    assert {path: after.get(path) for path in before} == before
