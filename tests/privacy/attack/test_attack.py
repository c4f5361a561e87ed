"""The attack: whoever has all files of a release, and of the one before, cannot tell how small a hidden group is."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.home import Home
from assets.privacy.disclosure.profiles import INTERNAL, MINIMUM_GROUP, PUBLIC
from assets.publication.audiences import AUDIENCES
from assets.publication.bundles import write_bundles
from assets.publication.in_force import release_in_force
from assets.publication.public_tables import PUBLIC_TABLES
from dashboards.published import PEER
from tests.privacy.attack.adversary import LOG, MANY, Attack, Hidden, Knowledge
from tests.privacy.attack.judge import EXACT, PROGRAMS, ROUNDED, Truth, as_text, attack, found, truth_of
from tests.privacy.attack.site_reader import read_tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.privacy.attack.conftest import Release

pytestmark = pytest.mark.long

FOR_EVERYBODY = replace(ROUNDED, protects_parts=True)
BUNDLES = ("public", "clinic", "ops")
OF_A_CLINIC = replace(ROUNDED, is_partial=True)


# --- the real thing -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def truths(releases: tuple[Release, Release]) -> tuple[Truth, Truth]:
    """The exact counts of both releases."""
    before, after = (truth_of(release) for release in releases)
    return before, after


@pytest.fixture(scope="module")
def alone(releases: tuple[Release, Release]) -> Attack:
    """The attack on the newest release."""
    made = attack(ROUNDED, read_tables(releases[1].site))
    made.solve(INTERNAL.width, PROGRAMS)
    return made


@pytest.fixture(scope="module")
def exposed(control: tuple[Path, Path]) -> Attack:
    """The same attack on the same release, of which only the small groups were left out."""
    return attack(EXACT, read_tables(control[1]))


def test_no_hidden_group_can_be_found(alone: Attack, truths: tuple[Truth, Truth]) -> None:
    assert len(alone.targets()) > 100
    assert found(alone, INTERNAL.width, truths[1]) == []


def test_nor_with_the_release_before_at_hand(releases: tuple[Release, Release], truths: tuple[Truth, Truth]) -> None:
    made = attack(ROUNDED, *(read_tables(release.site) for release in releases))
    made.solve(INTERNAL.width, PROGRAMS)
    assert found(made, INTERNAL.width, *truths) == []


@pytest.fixture(scope="module")
def bundles(releases: tuple[Release, Release], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Bundles of everybody, of the first clinic and of engineers, by name of the audience."""
    home = Home(releases[1].folder.parents[1], memory_limit="1GB")
    made = release_in_force(home, dt.date(2026, 7, 2))
    clinic = made.frames["clinic"]["clinic_key"].to_list()[0]
    out = tmp_path_factory.mktemp("bundles")
    audiences = [audience for audience in AUDIENCES if audience.name in BUNDLES]
    folders, _ = write_bundles(made, audiences, clinic, out)
    return {next(name for name in BUNDLES if name in path.relative_to(out).parts): path for path in folders}


def test_nor_with_what_engineers_see_of_the_log(
    bundles: Mapping[str, Path], releases: tuple[Release, Release], truths: tuple[Truth, Truth]
) -> None:
    log = {name: table for name, table in read_tables(bundles["ops"]).items() if name == LOG}
    made = attack(ROUNDED, {**read_tables(releases[1].site), **log})
    assert found(made, INTERNAL.width, truths[1]) == []


def test_everybody_finds_no_group_and_no_result_of_a_few(
    bundles: Mapping[str, Path], releases: tuple[Release, Release], truths: tuple[Truth, Truth]
) -> None:
    before = as_text({path.stem: pl.read_parquet(path) for path in (releases[0].folder / PUBLIC_TABLES).iterdir()})
    now = read_tables(bundles["public"])
    for seen, truth in (([now], truths[1:]), ([before, now], truths)):
        made = attack(FOR_EVERYBODY, *seen)
        assert made.targets()
        made.solve(PUBLIC.width, PROGRAMS)
        assert found(made, PUBLIC.width, *truth) == []


def test_the_same_attack_finds_results_of_a_few_in_exact_numbers(control: tuple[Path, Path]) -> None:
    made = attack(replace(EXACT, protects_parts=True), read_tables(control[1]))
    made.knowledge.told.clear()
    parts = [one for one in made.pinned(PUBLIC.width) if not one.hidden.is_size]
    assert len(parts) > 100


def test_a_clinic_finds_no_group_of_another(bundles: Mapping[str, Path], truths: tuple[Truth, Truth]) -> None:
    """Clinics without a name are left out: their sizes are rounded to 25, and no two rows of them go together."""
    is_peer = pl.col("clinic_key").str.starts_with(PEER).fill_null(value=False)
    tables = {
        name: table.filter(~is_peer) if "clinic_key" in table.columns else table
        for name, table in read_tables(bundles["clinic"]).items()
    }
    made = attack(OF_A_CLINIC, tables)
    made.solve(INTERNAL.width, PROGRAMS)
    assert found(made, INTERNAL.width, truths[1]) == []


def test_no_small_group_that_is_hidden_in_one_table_is_shown_in_another(
    alone: Attack, truths: tuple[Truth, Truth]
) -> None:
    knowledge = alone.knowledge
    both = [key for key, hidden in knowledge.hidden.items() if hidden.is_size and key in knowledge.shown]
    assert [key for key in both if 0 < truths[1].get(key[1:], (0, 0))[0] < MINIMUM_GROUP] == []


@pytest.mark.parametrize("name", ["alone", "exposed"])
def test_what_the_attacker_believes_is_true(
    name: str, request: pytest.FixtureRequest, truths: tuple[Truth, Truth]
) -> None:
    """Else a group would count as found that was not: every bound is compared with the exact count."""
    made: Attack = request.getfixturevalue(name)
    compared = 0
    for key, number in made.knowledge.index.items():
        low, high = truths[1].get(key[1:], (0, MANY))
        if low == high:
            assert made.low[number] <= low <= made.high[number], key
            compared += 1
    assert compared > 10_000


def test_the_log_of_what_was_hidden_names_no_size(releases: tuple[Release, Release]) -> None:
    log = releases[1].query("select * from audit.suppression")
    assert log.height > 0
    assert [name for name, dtype in log.schema.items() if dtype.is_numeric()] == []


# --- the attacker, on tables small enough to follow by hand -----------------------------------------------------------


def recovery(*rows: tuple[str | None, str | None, str | None, str | None, str | None]) -> dict[str, pl.DataFrame]:
    """Rows of condition, clinic, n, recovered, rate; any care, all periods."""
    columns = {"condition_id": 0, "clinic_key": 1, "n": 2, "recovered": 3, "rate": 4}
    frame = pl.DataFrame(
        {name: pl.Series([row[at] for row in rows], dtype=pl.String) for name, at in columns.items()}
    ).with_columns(care=pl.lit("any"), period=pl.lit("all"), definition_id=pl.lit("recovered_v1"))
    return {"recovery_by_condition": frame}


def pinned(made: Attack) -> set[tuple[str, int, int]]:
    return {(one.hidden.unknown[2][1], one.low, one.high) for one in made.pinned(INTERNAL.width)}


def between(made: Attack, clinic: str) -> tuple[int, int]:
    number = made.knowledge.index[0, "known recovered_v1", ("", clinic, "", "", "")]
    return int(made.low[number]), int(made.high[number])


def test_a_lonely_hidden_clinic_is_what_the_others_leave() -> None:
    tables = recovery((None, None, "50", None, None), (None, "A", "43", None, None), (None, "B", None, None, None))
    assert pinned(attack(EXACT, tables)) == {("B", 7, 7)}


def test_rounding_leaves_a_lonely_hidden_clinic_some_room() -> None:
    tables = recovery((None, None, "50", None, None), (None, "A", "45", None, None), (None, "B", None, None, None))
    made = attack(ROUNDED, tables)
    assert pinned(made) == set()
    assert between(made, "B") == (1, 9)


def test_two_hidden_clinics_keep_each_other() -> None:
    tables = recovery(
        (None, None, "60", None, None),
        (None, "A", "43", None, None),
        (None, "B", None, None, None),
        (None, "C", None, None, None),
    )
    assert pinned(attack(EXACT, tables)) == set()


def test_a_share_of_a_small_group_tells_its_size() -> None:
    tables = recovery((None, "A", "15", None, "0.09"))
    assert between(attack(ROUNDED, tables), "A") == (11, 11)


def test_growth_between_releases_is_bounded_by_that_of_the_whole() -> None:
    before = recovery((None, None, "100", None, None), (None, "A", None, None, None), (None, "B", "85", None, None))
    after = recovery((None, None, "100", None, None), (None, "A", "15", None, None), (None, "B", "85", None, None))
    alone = attack(EXACT, before)
    assert pinned(alone) == {("A", 15, 15)}
    assert between(attack(ROUNDED, before), "A") == (11, 19)
    assert between(attack(ROUNDED, before, after), "A") == (11, 17)


def test_a_program_finds_what_step_by_step_bounds_do_not() -> None:
    """Three hidden counts of which each pair makes 10: step by step each may be 0 to 10, together they are 5."""
    knowledge = Knowledge(EXACT)
    places = [("", clinic, "", "", "") for clinic in "ABC"]
    numbers = [knowledge.unknown(0, "known", place) for place in places]
    for place in places:
        key = (0, "known", place)
        knowledge.hidden[key] = Hidden("recovery_by_condition", "n", key, is_size=True)
    for one, other in ((0, 1), (1, 2), (0, 2)):
        knowledge.tie({numbers[one]: 1, numbers[other]: 1}, 10, 10, "a pair")
    made = Attack(knowledge)
    made.propagate()
    assert pinned(made) == set()
    made.solve(INTERNAL.width, PROGRAMS)
    assert pinned(made) == {("A", 5, 5), ("B", 5, 5), ("C", 5, 5)}
