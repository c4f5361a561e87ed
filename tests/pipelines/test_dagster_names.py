"""Names that Dagster keeps to itself and that are used all the same: few, each for a reason, and all still there."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("assets", "pipelines")
USED = {
    "pipelines/alert_dagster.py": {
        # which sensors, schedules and ticks have stopped: Dagster tells it to its web pages only
        "dagster._core.scheduler.instigation": {
            "InstigatorState",
            "InstigatorStatus",
            "InstigatorType",
            "TickStatus",
        },
        "dagster._core.storage.tags": {"WILL_RETRY_TAG"},
    },
    # a connection that stays open; Dagster's settings name the class of an event log, so it may be one of ours
    "pipelines/event_log.py": {"dagster._core.storage.event_log": {"ConsolidatedSqliteEventLogStorage"}},
    # types only: the public executor speaks of them
    "pipelines/executor.py": {
        "dagster._core.execution.context.system": {"PlanOrchestrationContext"},
        "dagster._core.execution.plan.plan": {"ExecutionPlan"},
        "dagster._core.execution.retries": {"RetryMode"},
    },
    # a type only: what an instance returns
    "pipelines/unlock.py": {"dagster._core.storage.dagster_run": {"RunRecord"}},
}


def private_names(text: str) -> dict[str, set[str]]:
    """Modules that begin with an underscore somewhere, and what is taken from them."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("dagster"):
            taken = {alias.name for alias in node.names}
            if "._" in node.module or any(name.startswith("_") for name in taken):
                found.setdefault(node.module, set()).update(taken)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("dagster") and "._" in alias.name:
                    found.setdefault(alias.name, set())
    return found


def moved(module: str, names: set[str]) -> list[str]:
    """What is no longer where it was."""
    try:
        loaded = importlib.import_module(module)
    except ImportError:
        return [f"{module}: Dagster no longer has this module"]
    return [f"{module}.{name}: Dagster has moved or renamed it" for name in sorted(names) if not hasattr(loaded, name)]


def test_no_other_private_names_are_used() -> None:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    taken = {path.relative_to(ROOT).as_posix(): private_names(path.read_text(encoding="utf-8")) for path in files}
    assert {name: found for name, found in taken.items() if found} == USED


@pytest.mark.parametrize("file", USED)
def test_private_names_are_where_they_were(file: str) -> None:
    assert [one for module, names in USED[file].items() for one in moved(module, names)] == [], f"used by {file}"


def test_a_name_that_moved_and_one_that_is_new_are_found() -> None:
    assert moved("dagster._core.nowhere", {"X"}) == ["dagster._core.nowhere: Dagster no longer has this module"]
    assert moved("dagster._core.storage.tags", {"WILL_RETRY_TAG", "NO_TAG"}) == [
        "dagster._core.storage.tags.NO_TAG: Dagster has moved or renamed it"
    ]
    text = "import dagster._core.x\nfrom dagster._y import z\nfrom dagster import _w, asset\nimport dagster as dg\n"
    assert private_names(text) == {"dagster._core.x": set(), "dagster._y": {"z"}, "dagster": {"_w", "asset"}}


def test_the_word_that_begins_a_run_again_is_that_of_dagster() -> None:
    from dagster._core.storage.tags import RETRY_ON_ASSET_OR_OP_FAILURE_TAG  # noqa: PLC0415 what is compared

    from pipelines.executor import TRY_AGAIN_TAG  # noqa: PLC0415 the tests above say it first if it cannot be imported

    assert TRY_AGAIN_TAG == RETRY_ON_ASSET_OR_OP_FAILURE_TAG
