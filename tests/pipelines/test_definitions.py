"""What Dagster loads."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import yaml

from pipelines.definitions import defs
from pipelines.executor import one_writer_executor

ROOT = Path(__file__).parents[2]


def test_workspace_names_the_definitions() -> None:
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text(encoding="utf-8"))
    assert workspace == {"load_from": [{"python_module": "pipelines.definitions"}]}


def test_graph_reads_from_delivery_to_site() -> None:
    graph = defs.resolve_asset_graph()

    before_site: set[dg.AssetKey] = set()
    to_see = {dg.AssetKey(["publication", "site"])}
    while to_see:
        found = graph.get(to_see.pop()).parent_keys - before_site
        before_site |= found
        to_see |= found
    for key in (
        ["deliveries", "delivery"],
        ["deliveries", "typed_rows"],
        ["quality", "accepted_rows"],
        ["staging", "measurement"],
        ["marts", "episode_outcome"],
        ["quality", "release_gate"],
        ["published", "recovery_by_condition"],
    ):
        assert dg.AssetKey(key) in before_site, key
    assert dg.AssetKey(["publication", "release"]) not in before_site


def test_one_dagster_check_per_check_of_the_contract() -> None:
    graph = defs.resolve_asset_graph()
    assert len(graph.asset_check_keys) >= 60


def test_every_asset_is_described_owned_and_grouped() -> None:
    for asset in defs.resolve_all_asset_specs():
        assert asset.description, asset.key
        assert asset.owners, asset.key
        assert asset.group_name != "default", asset.key
        assert asset.kinds, asset.key


def test_schedule_sensor_and_executor() -> None:
    assert [schedule.name for schedule in defs.schedules or []] == ["nightly_release"]
    names = ["decided_deliveries", "killed_runs", "left_behind", "new_deliveries"]
    assert set(names) <= {sensor.name for sensor in defs.sensors or []}
    assert defs.executor is one_writer_executor
