"""How Dagster executes a run of its daemon: in one process, as the only writer of the home.

DuckDB has one writer, and a process per step would cost twice the CPU. Within the daemon the pool ``warehouse`` keeps
runs in the queue; against a person at the command line only the lock of the home helps. Who finds it taken says so and
waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from assets.publication.release import is_overtaken
from pipelines.jobs import RELEASE_JOB
from pipelines.one_writer import only_writer
from pipelines.processes import process_tags
from pipelines.recording import recorded_run
from pipelines.settings import home_from_environment
from pipelines.unlock import clear_away

if TYPE_CHECKING:
    from collections.abc import Iterator

    # Dagster's public executor speaks of these three, and they have no public name
    from dagster._core.execution.context.system import PlanOrchestrationContext
    from dagster._core.execution.plan.plan import ExecutionPlan
    from dagster._core.execution.retries import RetryMode

WAIT_SECONDS = 30 * 60
KEPT_CONNECTION = {"statement_timeout": 60_000, "pool_recycle": 3_600, "max_overflow": 5}
"""Milliseconds a statement may take, seconds until the connection is renewed, how many more there may be."""

TRY_AGAIN_TAG = "dagster/retry_on_asset_or_op_failure"
"""On a run: whether the daemon begins it again although it was a step that failed."""
IN_PROCESS: dict[str, object] = {"retries": {"enabled": {}}}


class OneWriterExecutor(dg.Executor):
    """Holds the lock of the home while another executor goes from the first step to the last."""

    def __init__(self, steps: dg.Executor) -> None:
        """``steps`` executes the steps."""
        self._steps = steps

    @property
    def retries(self) -> RetryMode:
        """Whether a step that failed is tried again."""
        return self._steps.retries

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        """Execute the steps when nobody else writes.

        Raises:
            InputProblem: BUSY: somebody else wrote for half an hour; the daemon starts the run again.

        """
        home = home_from_environment()
        run = plan_context.dagster_run
        # a connection to PostgreSQL for every event costs eight times what the event does; SQLite keeps its own
        plan_context.instance.optimize_for_webserver(**KEPT_CONNECTION)
        plan_context.instance.add_run_tags(run.run_id, process_tags(run.run_id))
        home.create()
        with only_writer(home, f"Dagster run {run.run_id}", WAIT_SECONDS, plan_context.log.info):
            clear_away(home)
            yield from recorded_run(home, run, self._steps.execute(plan_context, execution_plan))
            if run.job_name == RELEASE_JOB:
                _say_whether_to_begin_again(plan_context.instance, run, is_overtaken=is_overtaken(home))


def _say_whether_to_begin_again(instance: dg.DagsterInstance, run: dg.DagsterRun, *, is_overtaken: bool) -> None:
    """Have the daemon begin again what failed for no fault of its own, with what the home holds now; nothing else.

    A run that was begun again bears the tags of the one before, so that the word is taken back where it holds no more.
    """
    if is_overtaken or TRY_AGAIN_TAG in run.tags:
        instance.add_run_tags(run.run_id, {TRY_AGAIN_TAG: str(is_overtaken).lower()})


@dg.executor(name="one_writer")
def one_writer_executor(context: dg.InitExecutorContext) -> dg.Executor:
    """The executor of every job."""
    create = dg.in_process_executor.executor_creation_fn
    if create is None:
        message = "Dagster no longer says how its executor is made"
        raise dg.DagsterInvariantViolationError(message)
    return OneWriterExecutor(create(context._replace(executor_config=IN_PROCESS)))
