"""The main job with a clock on every stage: ``stages.py FEED --home HOME [--profile FILE]`` prints JSON.

Runs the command line in this process, exactly as ``needlepoint run``, after wrapping the functions that do the work.
CPU seconds of a stage are those of the whole process (all threads) while its function runs, without those of stages
inside it. Heavy libraries are imported before our own, each under its own name. What is left over is Dagster's own
work, the command line and the ledger; together with importing Dagster and its definitions that is the price of
orchestration.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

LIBRARIES = {
    "import polars, duckdb, scipy": ("polars", "duckdb", "pyarrow", "scipy.special"),
    "import dagster": ("dagster",),
    "import great_expectations": ("great_expectations", "assets.quality.duckdb_engine"),
    "import plotly": ("plotly.graph_objects",),
}
DEFINITIONS = "definitions of Dagster"
CHILDREN = "processes started by it"
ORCHESTRATION = "Dagster, command line, ledger"
WORK = (
    ("pipelines.runner", "_ingest", "Dagster, reading a delivery"),
    ("pipelines.runner", "_build", "Dagster, building a release"),
    ("pipelines.runner", "land", "copy and hash the delivery"),
    ("assets.deliveries.sources", "open_table", "structure of the bytes"),
    ("assets.deliveries.sources", "gate_values", "identifier gate"),
    ("assets.deliveries.assets", "read_delivery", "typing pass, quarantine"),
    ("assets.quality.history", "run_delivery_suite", "GX {2}"),
    ("assets.quality.assets", "judged", "change of scale"),
    ("assets.quality.assets", "release_results", "GX release"),
    ("assets.quality.assets", "write_history", "checks of all deliveries"),
    ("assets.audit.history", "record", "history of checks"),
    ("assets.quality.assets", "write_drift", "drift"),
    ("assets.quality.assets", "run_sql_checks", "checks of the gate"),
    ("assets.quality.stages", "run_sql_checks", "checks of statistics and files"),
    ("assets.warehouse.assets", "load_lake", "SQL lake and reference"),
    ("assets.warehouse.assets", "run_model", "SQL {1.relation}"),
    ("assets.outcomes.assets", "write_statistics", "statistics"),
    ("assets.outcomes.assets", "write_published", "disclosure control, published tables"),
    ("assets.publication.assets", "write_site", "site"),
    ("assets.publication.assets", "write_delta", "what moved"),
    ("assets.publication.assets", "release_built", "release switch"),
    ("pipelines.recording", "send_alerts_quietly", "alerts"),
)
"""Module, function as that module calls it, and label; ``{n}`` is the n-th argument."""


class Clock:
    """CPU and wall seconds by stage, each without the stages inside it."""

    def __init__(self) -> None:
        self.cpu: defaultdict[str, float] = defaultdict(float)
        self.wall: defaultdict[str, float] = defaultdict(float)
        self._inside: list[list[float]] = [[0.0, 0.0]]

    def run(self, label: str, work: Callable[[], Any]) -> Any:
        cpu, wall = time.process_time(), time.perf_counter()
        self._inside.append([0.0, 0.0])
        try:
            return work()
        finally:
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            inner = self._inside.pop()
            self.cpu[label] += cpu - inner[0]
            self.wall[label] += wall - inner[1]
            self._inside[-1][0] += cpu
            self._inside[-1][1] += wall


def main() -> None:
    """Import, wrap, run, print."""
    began = time.perf_counter()
    home = sys.argv[sys.argv.index("--home") + 1]
    os.environ["NEEDLEPOINT_HOME"] = home  # the definitions, imported below, ask for it
    importlib.import_module("pipelines")  # says how many threads linear algebra may use, before numpy is there
    clock = Clock()
    for label, modules in LIBRARIES.items():
        clock.run(label, lambda modules=modules: [importlib.import_module(name) for name in modules])
    clock.run(DEFINITIONS, lambda: importlib.import_module("pipelines.definitions"))
    for module, name, label in WORK:
        _wrap(clock, importlib.import_module(module), name, label)
    from pipelines import cli  # noqa: PLC0415 - after the libraries, which are timed

    sys.argv = ["needlepoint", "run", *sys.argv[1:]]
    out, sys.stdout = sys.stdout, sys.stderr
    code = 0
    try:
        cli.main()
    except SystemExit as left:
        code = int(left.code or 0)
    finally:
        sys.stdout = out
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    clock.cpu[CHILDREN], clock.wall[CHILDREN] = 0.0, 0.0
    clock.cpu[ORCHESTRATION] = time.process_time() - sum(clock.cpu.values())
    clock.wall[ORCHESTRATION] = time.perf_counter() - began - sum(clock.wall.values())
    clock.cpu[CHILDREN] = children.ru_utime + children.ru_stime
    steps, checks = _counted(Path(home))
    stages = {label: (clock.cpu[label], clock.wall[label]) for label in clock.cpu}
    sys.stdout.write(json.dumps({"stages": stages, "steps": steps, "check_results": checks}) + "\n")
    sys.exit(code)


def _wrap(clock: Clock, module: Any, name: str, label: str) -> None:
    function = getattr(module, name)  # an AttributeError here says that WORK is out of date

    def timed(*arguments: Any, **options: Any) -> Any:
        return clock.run(label.format(*arguments), lambda: function(*arguments, **options))

    setattr(module, name, timed)


def _counted(home: Path) -> tuple[int, int]:
    """Steps and check results of the runs of this process."""
    import dagster as dg  # noqa: PLC0415 - timed above

    from pipelines.processes import process_of, this_process  # noqa: PLC0415

    steps = checks = 0
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        for run in filter(lambda one: process_of(one) == this_process(), instance.get_runs()):
            for entry in instance.all_logs(run.run_id):
                kind = entry.dagster_event.event_type_value if entry.dagster_event else ""
                steps += kind == "STEP_START"
                checks += kind == "ASSET_CHECK_EVALUATION"
    return steps, checks


if __name__ == "__main__":
    main()
