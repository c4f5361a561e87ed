"""How Dagster executes a run of its daemon: in one process, as the only writer of the home.

DuckDB has one writer, and a process per step would cost twice the CPU. Within the daemon the pool ``warehouse`` keeps
runs in the queue; against a person at the command line only the lock of the home helps. Who finds it taken says so and
waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.in_process import InProcessExecutor
from dagster._core.storage.tags import RETRY_ON_ASSET_OR_OP_FAILURE_TAG

from assets.publication.release import is_overtaken
from pipelines.jobs import RELEASE_JOB
from pipelines.one_writer import only_writer
from pipelines.processes import PROCESS_TAG, this_process
from pipelines.recording import recorded_run
from pipelines.settings import home_from_environment
from pipelines.unlock import clear_away

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagster._core.events import DagsterEvent
    from dagster._core.execution.context.system import PlanOrchestrationContext
    from dagster._core.execution.plan.plan import ExecutionPlan

WAIT_SECONDS = 30 * 60
KEPT_CONNECTION = {"statement_timeout": 60_000, "pool_recycle": 3_600, "max_overflow": 5}
"""Milliseconds a statement may take, seconds until the connection is renewed, how many more there may be."""


class OneWriterExecutor(InProcessExecutor):
    """``InProcessExecutor`` that holds the lock of the home from the first step to the last."""

    def execute(self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan) -> Iterator[DagsterEvent]:
        """Execute the steps when nobody else writes.

        Raises:
            InputProblem: BUSY: somebody else wrote for half an hour; the daemon starts the run again.

        """
        home = home_from_environment()
        run = plan_context.dagster_run
        # a connection to PostgreSQL for every event costs eight times what the event does; SQLite keeps its own
        plan_context.instance.optimize_for_webserver(**KEPT_CONNECTION)
        plan_context.instance.add_run_tags(run.run_id, {PROCESS_TAG: this_process()})
        home.create()
        with only_writer(home, f"Dagster run {run.run_id}", WAIT_SECONDS, plan_context.log.info):
            clear_away(home)
            yield from recorded_run(home, run, super().execute(plan_context, execution_plan))
            if run.job_name == RELEASE_JOB and is_overtaken(home):
                # the steps failed for no fault of theirs: the daemon is to begin again with what the home holds now
                plan_context.instance.add_run_tags(run.run_id, {RETRY_ON_ASSET_OR_OP_FAILURE_TAG: "true"})


@dg.executor(name="one_writer")
def one_writer_executor(_: dg.InitExecutorContext) -> OneWriterExecutor:
    """The executor of every job."""
    return OneWriterExecutor(retries=RetryMode.ENABLED)
