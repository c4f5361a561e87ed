"""Two releases of one home, made with other code, definitions, decisions and deliveries: each moves what it must.

Eight builds of all models and statistics; that each state runs what it should is tested in a second in test_states.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.audit.code_copy import code_contents
from assets.audit.diff import CAUSES, CODE, DECISIONS, DEFINITIONS, LATE, NUMBER, PARTS, PRINTING
from assets.audit.rebuild import rebuild
from assets.audit.release_inputs import inputs_of, make_lake
from assets.home import Home
from assets.outcomes.published import LAYOUTS
from assets.quality.waivers import WAIVERS, new_waiver
from pipelines.release_diff import diff_releases
from tests.audit.two_releases import receive, release, send_twice

if TYPE_CHECKING:
    from pipelines.release_diff import ReleaseDiff

pytestmark = pytest.mark.truth
PATIENTS, SEED = 80, 7
OLD, NEW = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
ALPHA = "assets/outcomes/methods/proportions.py"
BASELINE = "assets/contract/definitions.py"


@dataclass(frozen=True)
class Two:
    """A home with two releases, the diff of them, and what the late records alone would have changed."""

    home: Home
    diff: ReleaseDiff
    said: list[str]
    with_late: dict[str, pl.DataFrame]

    def part(self, table: str, column: str) -> pl.DataFrame:
        """Numbers of a column of a table that moved."""
        return self.diff.numbers.filter(pl.col("table_name") == table, pl.col("column") == column)


def edited(code: dict[str, bytes], name: str, old: str, new: str) -> dict[str, bytes]:
    assert code[name].count(old.encode()) == 1
    return code | {name: code[name].replace(old.encode(), new.encode())}


def waive_something(home: Home) -> None:
    """Waive the check that sets most rows aside."""
    found = pl.concat([pl.read_parquet(path) for path in home.lake.glob("*/quarantined/violation.parquet")])
    waiver = new_waiver(
        found.get_column("check_id").mode().sort()[0],
        by="A. Reviewer",
        because="Known to the clinic and not worth its time",
        until="2099-12-31",
        now=dt.datetime(2026, 7, 2, tzinfo=dt.UTC),
        known_checks=found.get_column("check_id"),
    )
    WAIVERS.add(home.path, waiver)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Two:
    place = tmp_path_factory.mktemp("two")
    home = Home(place / "home", "1GB")
    home.create()
    first, second, only_late = send_twice(place, PATIENTS, SEED)
    code = code_contents()
    # 99% intervals, and patients with little pain at first no longer count
    later_code = edited(code, ALPHA, "ALPHA = 0.05", "ALPHA = 0.01")
    later_code = edited(later_code, BASELINE, "BASELINE_MUST_EXCEED_POINTS = 1", "BASELINE_MUST_EXCEED_POINTS = 3")
    receive(home, first)
    release(home, OLD, code)
    late = replace(home, path=place / "late")
    make_lake(late, inputs_of(home, OLD, place / "code"), frozenset(), None)
    receive(home, second)
    waive_something(home)
    tree = place / "tree"
    for name, content in later_code.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(content)
    release(home, NEW, later_code, tree)
    receive(late, only_late)
    out = place / "out"
    out.mkdir()
    rebuild(late, out)
    said: list[str] = []
    diff = diff_releases(home, OLD, NEW, said.append)
    return Two(home, diff, said, {path.stem: pl.read_parquet(path) for path in out.glob("*.parquet")})


def test_the_parts_of_every_number_sum_to_its_change(two: Two) -> None:
    both = two.diff.numbers.drop_nulls(["exact_before", "exact_after"])
    assert both.height > 1000
    whole = both["exact_after"] - both["exact_before"]
    assert (both.select(pl.sum_horizontal(PARTS)).to_series() == whole).all()
    printed = two.diff.numbers.drop_nulls(["moved", PRINTING])
    assert (printed.select(pl.sum_horizontal(CAUSES)).to_series() == printed["after"] - printed["before"]).all()


def test_late_records_move_what_they_would_have_moved_alone(two: Two) -> None:
    """The state is that of a home that got the late visits and nothing else."""
    compared = moved = 0
    for name, layout in LAYOUTS.items():
        frame = two.with_late[name]
        columns = [column for column in layout.numbers if frame.schema[column].is_numeric()]
        alone = frame.select(
            pl.struct(*layout.keys).struct.json_encode().alias("row"), *(pl.col(name).cast(NUMBER) for name in columns)
        ).unpivot(columns, index="row", variable_name="column", value_name="alone")
        mine = two.diff.numbers.filter(pl.col("table_name") == name).join(alone, on=("row", "column"))
        found = mine.drop_nulls(["alone", LATE, "exact_before"])
        assert (found["alone"] == found["exact_before"] + found[LATE]).all(), name
        compared += found.height
        moved += found.filter(pl.col(LATE) != 0).height
    assert compared > 1000
    assert moved > 100


def test_other_intervals_are_due_to_code_and_other_eligibility_to_definitions(two: Two) -> None:
    eligible = two.part("recovery_by_condition", "eligible").drop_nulls("moved")
    assert eligible.filter(pl.col(DEFINITIONS) != 0).height > 0
    assert eligible.filter(pl.col(CODE) != 0).is_empty()
    low = two.part("recovery_by_condition", "rate_low").drop_nulls("moved")
    assert low.filter(pl.col(CODE) < 0).height > low.height / 2


def test_a_waiver_moves_nothing_about_patients(two: Two) -> None:
    waived = two.diff.numbers.filter(pl.col(DECISIONS) != 0)
    assert set(waived["table_name"]) <= {"check_summary", "quarantine_by_reason"}
    to_correct = two.part("quarantine_by_reason", "to_correct")
    assert to_correct.filter(pl.col("rules_on_new") < 0).height == 1


def test_new_rules_on_new_records_are_the_parts_of_the_rules(two: Two) -> None:
    found = two.diff.numbers.drop_nulls(["exact_before", "exact_after", "rules_on_new"])
    assert (found.select(pl.sum_horizontal(DECISIONS, DEFINITIONS, CODE)).to_series() == found["rules_on_new"]).all()
    beside = found.drop_nulls("rules_on_old")
    assert (beside["interaction"] == beside["rules_on_new"] - beside["rules_on_old"]).all()
    assert beside.filter(pl.col("interaction") != 0).height > 0
