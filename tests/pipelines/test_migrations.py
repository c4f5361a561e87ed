"""A home of another version is read as it is, brought up to date, or refused in words; it is never misread."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import click
import duckdb
import polars as pl
import pytest
from click.testing import CliRunner

from assets.audit.delta import FOUND, _found_before
from assets.audit.verify import verify
from assets.contract import CONTRACT
from assets.deliveries.landing import find_deliveries, land
from assets.deliveries.ledger import State
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile import PROFILE_FOLDER, load_profile
from assets.home import Home
from assets.home_format import check_home, older
from assets.publication import release
from assets.publication.release import current_release
from assets.simulation.network import simulate_network
from pipelines.cli import cli
from pipelines.quarantine import quarantine_entries
from pipelines.settings import HOME_VARIABLE
from tests.audit.conftest import sealed_home, sealed_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.pipelines.conftest import Installation

__all__ = ["sealed_home", "sealed_template"]

OURS = f'{{"contract": "{CONTRACT.version}", "format": 2}}\n'
LATER = '{"contract": "2", "format": 3}'
LATER_CONTRACT = '{"contract": "99", "format": 2}'
OLDER = '{"contract": "1", "format": 2}'
TELLS_ITSELF = {"doctor"}
"""Says what is wrong with a home instead of ending there."""


def leaves(group: click.Group, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every verb with the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, *names, name)
        else:
            yield (*names, name), command


OF_A_HOME = [
    (words, command)
    for words, command in leaves(cli)
    if any(param.name == "home" for param in command.params) and words[0] not in TELLS_ITSELF
]


def required(command: click.Command, file: Path) -> list[str]:
    """Words for everything that a verb must be given."""
    words: list[str] = []
    for param in command.params:
        if param.required and param.name != "home":
            kind = param.type
            value = str(file)
            if isinstance(kind, click.Choice):
                value = str(kind.choices[0])
            elif isinstance(kind, click.Path) and not kind.file_okay:
                value = str(file.parent / "folder")
            elif isinstance(kind, click.types.FloatParamType | click.types.IntParamType):
                value = "1"
            words += [value] if isinstance(param, click.Argument) else [param.opts[0], value]
    return words


def said(home: Home) -> str:
    return (home.path / "home.json").read_text(encoding="utf-8")


def read_under(home: Home, version: str) -> None:
    """Make every record say that its delivery was read under this contract."""
    for record in home.lake.glob("*/delivery.json"):
        content = json.loads(record.read_text(encoding="utf-8"))
        record.write_text(json.dumps(content | {"contract_version": version}), encoding="utf-8")


def test_a_new_home_says_what_it_is(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", memory_limit="1GB")
    check_home(home)
    home.create()
    assert said(home) == OURS
    assert stat.S_IMODE((home.path / "home.json").stat().st_mode) == 0o600
    home.create()
    assert said(home) == OURS


@pytest.mark.parametrize(("words", "command"), OF_A_HOME, ids=[" ".join(words) for words, _ in OF_A_HOME])
def test_every_verb_refuses_what_it_would_misread(
    sealed_home: Home, words: tuple[str, ...], command: click.Command
) -> None:
    before = {path: path.read_bytes() for path in sealed_home.path.rglob("*") if path.is_file()}
    file = sealed_home.path.parent / "file.csv"
    file.touch()
    call = [*words, *required(command, file), "--home", str(sealed_home.path)]
    for content in (LATER, LATER_CONTRACT, OLDER, "{", "[]", '{"format": "2", "contract": 2}'):
        if words == ("upgrade",) and content == OLDER:
            continue
        (sealed_home.path / "home.json").write_text(content, encoding="utf-8")
        done = CliRunner().invoke(cli, call)
        assert isinstance(done.exception, InputProblem), (content, done.output)
        assert done.exception.code == "HOME_FORMAT"
    (sealed_home.path / "home.json").write_text(OURS, encoding="utf-8")
    assert {path: path.read_bytes() for path in sealed_home.path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (LATER, "format 3, and this program knows formats up to 2. Use the version"),
        (LATER_CONTRACT, "under version 99 of the contract, a later one. Use the version"),
        (OLDER, "under version 1 of the contract, and this program reads version 2. Make a copy of the home"),
        ("{", "not what this program writes"),
    ],
)
def test_what_is_said(sealed_home: Home, content: str, words: str) -> None:
    (sealed_home.path / "home.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputProblem) as refused:
        check_home(sealed_home)
    assert words in str(refused.value)


def test_a_home_of_before_there_was_the_file_is_read_as_it_is(sealed_home: Home) -> None:
    (sealed_home.path / "home.json").unlink()
    check_home(sealed_home)
    assert not (sealed_home.path / "home.json").exists()
    sealed_home.create()
    assert said(sealed_home) == OURS


def test_a_home_of_before_there_was_the_file_is_refused_if_its_deliveries_are_older(sealed_home: Home) -> None:
    (sealed_home.path / "home.json").unlink()
    read_under(sealed_home, "1")
    with pytest.raises(InputProblem, match="under version 1 of the contract"):
        check_home(sealed_home)
    with pytest.raises(InputProblem, match="under version 1 of the contract"):
        sealed_home.create()
    assert not (sealed_home.path / "home.json").exists()
    (delivery,) = sealed_home.ledger.all()
    sealed_home.ledger.save(replace(delivery, state=State.REJECTED))
    check_home(sealed_home)  # nothing of it was kept


def test_a_release_is_not_built_from_rows_of_an_earlier_contract(
    sealed_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "next_release", lambda _: "cccc")
    release.start_building(sealed_home)
    read_under(sealed_home, "1")
    with pytest.raises(InputProblem, match="under version 1 of the contract"):
        release.start_building(sealed_home)


@pytest.mark.parametrize("version", ["3", "99", "2.1", "next", ""])
def test_a_record_of_a_later_version_is_refused_and_named(sealed_home: Home, version: str) -> None:
    (delivery,) = sealed_home.ledger.all()
    read_under(sealed_home, version)
    with pytest.raises(InputProblem, match="a later version of this program") as refused:
        sealed_home.ledger.find(delivery.delivery_id)
    assert refused.value.where == f"lake/{delivery.delivery_id}/delivery.json"
    assert refused.value.where in [one.where for one in verify(sealed_home).broken]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"contract_version": 2}', '{"contract_version": "2"}'])
def test_what_is_no_record_is_refused_and_named(sealed_home: Home, content: str) -> None:
    (record,) = sealed_home.lake.glob("*/delivery.json")
    record.write_text(content, encoding="utf-8")
    with pytest.raises(InputProblem, match="it is not the record of a delivery"):
        sealed_home.ledger.all()


@pytest.mark.long
def test_an_earlier_home_is_brought_up_to_date(make_installation: Callable[..., Installation], tmp_path: Path) -> None:
    simulate_network(tmp_path / "feed", patients=120, seed=7, contract=CONTRACT, sources=2)
    made = make_installation(sorted(path for path in (tmp_path / "feed").iterdir() if path.is_dir()))
    home = made.home
    assert made.outcome.released
    before, site = current_release(home), (home.site / "index.html").read_bytes()
    rows = sorted(home.lake.glob("*/rows/*.parquet"))
    read = {path: pl.read_parquet(path) for path in rows}
    assert len(rows) > 0
    read_under(home, "1")
    (home.path / "home.json").unlink()
    for path in rows:
        pl.DataFrame({"of_an_earlier_contract": [1]}).write_parquet(path)
    call = ["--home", str(home.path)]
    refused = CliRunner().invoke(cli, ["audit", "status", *call])
    assert isinstance(refused.exception, InputProblem)
    assert older(home.ledger.all())

    done = CliRunner().invoke(cli, ["upgrade", *call])
    assert done.exit_code == 0, done.output
    assert said(home) == OURS
    assert older(home.ledger.all()) == ()
    assert {path: pl.read_parquet(path) for path in rows}.keys() == read.keys()
    assert all(pl.read_parquet(path).equals(frame) for path, frame in read.items())
    assert (current_release(home), (home.site / "index.html").read_bytes()) == (before, site)
    assert CliRunner().invoke(cli, ["audit", "status", *call]).exit_code == 0
    assert "Nothing had to be read again" in CliRunner().invoke(cli, ["upgrade", *call]).output


def test_what_cannot_be_read_under_the_new_contract_keeps_the_home_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, "")  # it is put back when the test has ended, and so is what the verb sets
    monkeypatch.setenv("DAGSTER_HOME", "")
    home = Home(tmp_path / "home", memory_limit="1GB")
    feed = tmp_path / "north_20260701T020000Z"
    feed.mkdir()
    for table in CONTRACT.tables:
        (feed / f"{table.name}.csv").write_text(f"{','.join(table.names)}\n", encoding="utf-8")
    shipped = PROFILE_FOLDER / "canonical.yaml"
    profile = load_profile(shipped, CONTRACT)
    (sent,) = find_deliveries([feed], profile).sent
    landed, _ = land(sent, profile, "1", home.ledger)
    home.ledger.save(replace(landed, state=State.ACCEPTED))
    before = {path: path.read_bytes() for path in home.lake.rglob("*") if path.is_file()}

    fields = {name: name for name in CONTRACT.table("patient").names} | {"sex": "of_another_time"}
    mapped = ", ".join(f"{name}: {column}" for name, column in fields.items())
    text = shipped.read_text(encoding="utf-8")
    home.profiles.mkdir()
    (home.profiles / shipped.name).write_text(
        text.replace("table: patient, fields: same_names", f"table: patient, fields: {{{mapped}}}"), encoding="utf-8"
    )
    done = CliRunner().invoke(cli, ["upgrade", "--home", str(home.path)])
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == 1, done.output
    assert "under the profile as it is now it is refused" in done.output
    assert "Not released. HOME_FORMAT: home.json: deliveries were read under version 1 of the contract" in done.output
    assert {path: path.read_bytes() for path in home.lake.rglob("*") if path.is_file()} == before
    assert not (home.path / "home.json").exists()
    with pytest.raises(InputProblem, match="under version 1 of the contract"):
        check_home(home)

    refused = CliRunner().invoke(cli, ["upgrade", "--refuse", "--home", str(home.path)])
    assert isinstance(refused.exception, SystemExit), refused.exception
    (delivery,) = home.ledger.all()
    assert (delivery.state, delivery.contract_version) == (State.REJECTED, CONTRACT.version)
    assert not list(home.lake.glob("*/raw/*"))
    assert said(home) == OURS


def warehouse_with(home: Home, sql: str) -> None:
    """Put a warehouse into the release in force in which only this was done."""
    path = home.current / "warehouse.duckdb"
    path.unlink()
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)


def test_a_warehouse_of_another_version_is_refused_and_not_misread(sealed_home: Home) -> None:
    with pytest.raises(InputProblem, match="damaged, in use, or of another version of DuckDB"):
        quarantine_entries(sealed_home)  # a text
    warehouse_with(sealed_home, "create schema audit")
    with pytest.raises(InputProblem, match="another version of this program made it"):
        quarantine_entries(sealed_home)
    warehouse_with(sealed_home, "create schema audit; create table audit.quarantine as select 'CANARY' as delivery_id")
    with pytest.raises(InputProblem, match="another version of this program made it") as refused:
        quarantine_entries(sealed_home)
    assert "CANARY" not in str(refused.value)
    assert refused.value.where == "releases/bbbb/warehouse.duckdb"


def test_a_warehouse_of_another_contract_is_refused_and_compared_with_nothing(
    sealed_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "next_release", lambda _: "cccc")
    warehouse_with(sealed_home, f"create schema audit; create table audit.{FOUND} as select 'visit.schema' as check_id")
    assert _found_before(sealed_home) is not None
    manifest = sealed_home.releases / "bbbb" / "manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(content | {"contract_version": "1"}), encoding="utf-8")
    assert _found_before(sealed_home) is None
    with pytest.raises(InputProblem, match="another version of this program made it"):
        quarantine_entries(sealed_home)
