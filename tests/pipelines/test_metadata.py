"""What Dagster shows of every asset and check: who owns it, its rows and columns, where they are from, its age."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import freeze_time
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.freshness import FreshnessDaemon

from assets.quality.assets import numbers
from assets.warehouse.assets import column_lineage
from pipelines.definitions import defs
from pipelines.settings import ALERT_STALE_VARIABLE
from pipelines.standing import freshness, with_standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.pipelines.conftest import Installation

Metadata = dict[str, Any]
Said = dict[dg.AssetKey, Metadata]
SPECS = {spec.key: spec for spec in defs.resolve_all_asset_specs()}
GRAPH = defs.resolve_asset_graph()
SCHEMA, LINEAGE = "dagster/column_schema", "dagster/column_lineage"
ROWS = ("dagster/row_count", "dagster/partition_row_count")
NUMBERS = ("evaluated_rows", "failing_rows", "failing_share", "tolerance")
NO_TABLES = {"file", "plotly"}
"""Kinds of assets that are files: they have a number and a size instead of rows and columns."""


@dataclass(frozen=True)
class Evaluated:
    """What Dagster was told of a check in one run."""

    key: dg.AssetCheckKey
    metadata: Mapping[str, dg.MetadataValue[Any]]


@pytest.fixture(scope="module")
def storage(network: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    """What Dagster keeps of the small network, as a copy."""
    copy = tmp_path_factory.mktemp("storage") / "dagster"
    shutil.copytree(network.home.dagster, copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(copy))
        with dg.DagsterInstance.from_config(str(copy)) as instance:
            yield instance


@pytest.fixture(scope="module")
def said(storage: dg.DagsterInstance) -> Said:
    """What stands in the definition of each asset and what its newest run said of it."""
    found: Said = {}
    for key, spec in SPECS.items():
        event = storage.get_latest_materialization_event(key)
        assert event is not None, key
        assert event.asset_materialization is not None
        found[key] = {**spec.metadata, **event.asset_materialization.metadata}
    return found


@pytest.fixture(scope="module")
def evaluated(storage: dg.DagsterInstance) -> list[Evaluated]:
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    found = []
    for run in storage.get_runs():
        for record in storage.all_logs(run.run_id, of_type=kind):
            assert record.dagster_event is not None
            data: Any = record.dagster_event.event_specific_data
            found.append(Evaluated(data.asset_check_key, data.metadata))
    return found


def plain(metadata: Metadata, name: str) -> Any:
    """The value itself, whether the definition or an event said it."""
    one = metadata.get(name)
    return one.value if isinstance(one, dg.MetadataValue) else one


def lacking(spec: dg.AssetSpec, metadata: Metadata) -> list[str]:
    """What an asset does not say of itself."""
    stated = {
        "owners": spec.owners,
        "kinds": spec.kinds,
        "description": spec.description,
        "group": spec.group_name and spec.group_name != "default",
        "code version": spec.code_version,
        "freshness policy": spec.freshness_policy,
    }
    found = [name for name, is_stated in stated.items() if not is_stated]
    if spec.kinds & NO_TABLES:
        return found + [name for name in ("files", "bytes") if not isinstance(plain(metadata, name), int)]
    rows = [name for name in ROWS if isinstance(plain(metadata, name), int)]
    if rows != [ROWS[spec.partitions_def is not None]]:
        found.append("rows")
    schema = plain(metadata, SCHEMA)
    columns = [column.name for column in schema.columns] if schema else []
    if not columns or not all(column.type for column in schema.columns):
        found.append("columns")
    if "sql" in spec.kinds and (lineage := plain(metadata, LINEAGE)) is not None:
        found += [f"origin of {name}" for name in columns if name not in lineage.deps_by_column]
    elif "sql" in spec.kinds:
        found.append("lineage")
    return found


def strays(key: dg.AssetKey, said: Said) -> list[str]:
    """Columns that an asset says it is made from, and that no parent of it has."""
    lineage = plain(said[key], LINEAGE)
    found = []
    for column, origins in lineage.deps_by_column.items() if lineage else ():
        for origin in origins:
            schema = plain(said.get(origin.asset_key, {}), SCHEMA)
            names = {one.name for one in schema.columns} if schema else set()
            if origin.column_name not in names or origin.asset_key not in GRAPH.get(key).parent_keys:
                found.append(f"{column} from {origin.asset_key.to_user_string()} {origin.column_name}")
    return found


def unplottable(metadata: Mapping[str, dg.MetadataValue[Any]]) -> list[str]:
    """Numbers of a check that Dagster would not draw, or that contradict each other."""
    kinds = (dg.IntMetadataValue, dg.IntMetadataValue, dg.FloatMetadataValue, dg.FloatMetadataValue)
    found = [
        name
        for name, kind in zip(NUMBERS, kinds, strict=True)
        if not isinstance(metadata.get(name), kind) or metadata[name].value is None
    ]
    if not found:
        evaluated, failing, share, _ = (metadata[name].value for name in NUMBERS)
        if not (0 <= failing <= evaluated and share == (failing / evaluated if evaluated else 0)):
            found.append("share")
    return found


def test_every_asset_says_what_it_is(said: Said) -> None:
    assert {key.to_user_string(): gaps for key, spec in SPECS.items() if (gaps := lacking(spec, said[key]))} == {}
    assert len(SPECS) > 150


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"owners": []}, ["owners"]),
        ({"kinds": set()}, ["kinds"]),
        ({"description": None}, ["description"]),
        ({"group_name": None}, ["group"]),
        ({"code_version": None}, ["code version"]),
        ({"freshness_policy": None}, ["freshness policy"]),
    ],
)
def test_what_an_asset_does_not_state_is_found(said: Said, changed: dict[str, Any], named: list[str]) -> None:
    key = dg.AssetKey(["marts", "case_mix"])
    assert lacking(SPECS[key].replace_attributes(**changed), said[key]) == named


def test_what_a_run_does_not_tell_is_found(said: Said) -> None:
    key = dg.AssetKey(["marts", "case_mix"])
    told = said[key]
    assert lacking(SPECS[key], {name: one for name, one in told.items() if name != ROWS[0]}) == ["rows"]
    assert lacking(SPECS[key], {name: one for name, one in told.items() if name != LINEAGE}) == ["lineage"]
    assert "columns" in lacking(SPECS[key], {name: one for name, one in told.items() if name != SCHEMA})
    assert lacking(SPECS[key], told | {LINEAGE: column_lineage({})})[0].startswith("origin of ")
    site = dg.AssetKey(["publication", "site"])
    assert lacking(SPECS[site], said[site] | {"files": "many"}) == ["files"]


def test_rows_and_columns_are_those_of_the_warehouse(network: Installation, said: Said) -> None:
    for relation in (
        "lake.measurement",
        "reference.condition",
        "staging.visit",
        "marts.case_mix",
        "audit.check_result",
    ):
        key = dg.AssetKey(["quality", "release_gate"] if relation == "audit.check_result" else relation.split("."))
        found = network.query(f"select * from {relation}")
        assert [column.name for column in plain(said[key], SCHEMA).columns] == found.columns
        # the gate of the release speaks before the statistics and the pages are judged
        assert (plain(said[key], ROWS[0]) == found.height) is (relation != "audit.check_result"), relation


def test_every_origin_is_a_column_of_a_parent(said: Said) -> None:
    assert {key.to_user_string(): found for key in SPECS if (found := strays(key, said))} == {}


def test_an_origin_that_does_not_exist_is_found(said: Said) -> None:
    key = dg.AssetKey(["marts", "case_mix"])
    there, not_there = dg.AssetKey(["marts", "episode_outcome"]), dg.AssetKey(["marts", "nowhere"])
    planted = column_lineage({"a": [(there, "episode_key")], "b": [(there, "episode_kee")], "c": [(not_there, "x")]})
    parents = {one.to_user_string() for one in GRAPH.get(key).parent_keys}
    found = strays(key, said | {key: {LINEAGE: planted}})
    assert "b from marts/episode_outcome episode_kee" in found
    assert "c from marts/nowhere x" in found
    assert ("a from marts/episode_outcome episode_key" in found) is ("marts/episode_outcome" not in parents)


def test_a_published_number_is_followed_to_the_file_of_a_clinic(said: Said) -> None:
    def back(key: dg.AssetKey, column: str) -> set[tuple[str, str]]:
        lineage = plain(said[key], LINEAGE)
        origins = lineage.deps_by_column.get(column, ()) if lineage else ()
        found = {(key.to_user_string(), column)}
        return found.union(*(back(origin.asset_key, origin.column_name) for origin in origins))

    ends = back(dg.AssetKey(["marts", "episode_outcome"]), "recovered")
    assert ("lake/measurement", "value") in ends
    assert ("deliveries/typed_rows", "measurement.value") in ends
    assert ("reference/definition", "rom_share_percent") in ends
    assert ("deliveries/typed_rows", "patient.sex") not in ends
    published = back(dg.AssetKey(["published", "recovery_by_condition"]), "rate")
    assert published == {
        ("published/recovery_by_condition", "rate"),
        ("statistics/exact", "recovery_by_condition.rate"),
    }


def test_every_check_has_numbers_that_dagster_plots(evaluated: list[Evaluated]) -> None:
    assert {one.key for one in evaluated} == set(GRAPH.asset_check_keys)
    assert {str(one.key): found for one in evaluated if (found := unplottable(one.metadata))} == {}
    assert any(one.metadata["failing_share"].value > 0 for one in evaluated)


def test_numbers_that_are_no_numbers_are_found() -> None:
    assert unplottable(numbers(200, 3, tolerance=0)) == []
    assert numbers(200, 3, tolerance=0)["failing_share"] == dg.MetadataValue.float(0.015)
    assert unplottable(numbers(0, 0, tolerance=0.1)) == []
    assert unplottable(numbers(None, None, tolerance=0)) == list(NUMBERS[:3]), "a check in error draws no zero"
    assert unplottable(numbers(200, 3, tolerance=0) | {"tolerance": dg.MetadataValue.text("0.1")}) == ["tolerance"]
    assert unplottable(numbers(200, 3, 0) | {"failing_share": dg.MetadataValue.float(0.5)}) == ["share"]


def test_no_key_and_no_text_of_a_patient(network: Installation, said: Said, evaluated: list[Evaluated]) -> None:
    keys = network.query(
        "select patient_key as key from staging.patient union all select episode_key from staging.episode "
        "union all select visit_key from staging.visit"
    )["key"].to_list()
    words = set(keys)
    assert len(words) > 2000

    def told(metadata: list[Mapping[str, Any]]) -> set[str]:
        text = repr(metadata)
        for sign in "\"'(),:=[]{}\\":
            text = text.replace(sign, " ")
        return set(text.split())

    everything = [*said.values(), *(one.metadata for one in evaluated)]
    assert words & told(everything) == set()
    assert words & told([*everything, {"planted": [keys[0]]}]) == {keys[0]}


def states(storage: dg.DagsterInstance) -> dict[FreshnessState, set[dg.AssetKey]]:
    """Ask the part of the daemon that judges the age of assets, and return what it found."""
    module = LoadableTargetOrigin(module_name="pipelines.definitions")
    target = InProcessWorkspaceLoadTarget(InProcessCodeLocationOrigin(module))
    with WorkspaceProcessContext(storage, target) as workspace:
        list(FreshnessDaemon().run_iteration(workspace))
    found: dict[FreshnessState, set[dg.AssetKey]] = {}
    for key, record in storage.get_freshness_state_records(list(SPECS)).items():
        found.setdefault(record.freshness_state, set()).add(key)
    return found


# Dagster reads a property of its own that it has deprecated
@pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning")
def test_the_daemon_sees_what_has_grown_old(storage: dg.DagsterInstance) -> None:
    arriving = {key for key, spec in SPECS.items() if spec.partitions_def is not None}
    now = dt.datetime.now(dt.UTC)
    assert storage.freshness_enabled
    assert states(storage) == {FreshnessState.PASS: set(SPECS)}
    with freeze_time(now + dt.timedelta(days=3, hours=1)):
        assert states(storage) == {FreshnessState.WARN: arriving, FreshnessState.PASS: set(SPECS) - arriving}
    with freeze_time(now + dt.timedelta(days=4, hours=1)):
        assert states(storage) == {FreshnessState.FAIL: arriving, FreshnessState.WARN: set(SPECS) - arriving}
    with freeze_time(now + dt.timedelta(days=5, hours=1)):
        assert states(storage) == {FreshnessState.FAIL: set(SPECS)}


@pytest.mark.parametrize(("days", "at_most"), [("9", 9), ("1", 1), ("0", 1), ("soon", 4)])
def test_age_follows_the_setting_of_alerts(monkeypatch: pytest.MonkeyPatch, days: str, at_most: int) -> None:
    monkeypatch.setenv(ALERT_STALE_VARIABLE, days)

    @dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="some"))
    def arriving() -> None:
        """Nothing."""

    @dg.asset(code_version="7")
    def made() -> None:
        """Nothing."""

    standing = {spec.key.path[-1]: spec for one in with_standing([arriving, made]) for spec in one.specs}
    assert standing["arriving"].freshness_policy == freshness(at_most)
    assert standing["made"].freshness_policy == freshness(at_most + 1)
    assert standing["made"].code_version == "7"
    assert standing["arriving"].code_version
