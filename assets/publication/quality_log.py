"""What the bundle for engineers and quality teams knows of checks beyond the release: frames for its quality page.

The pages of a release depend on inputs and code alone. Which run found what, who decided what, and what is new against
the release before is therefore in this bundle only, as the log of the runs is.

Columns:

* ``check_run``, one row for each of the last 30 runs that judged something, in the order of time: ``run_id``,
  ``started``, ``state`` (how the run ended; null where it is not in the log of the runs).
* ``check_by_run``: ``check_id``, ``run_id``, ``status`` (the worst of the run), ``evaluated``, ``violated``.
* ``check_written``: checks of the written files, with columns of ``check_summary``; when the pages of a release are
  made they have not run.
* ``check_delta``, ``check_drift``: rows of ``audit.check_delta`` and ``audit.drift`` of the release in force.
* ``decision``, every decision of people, the newest last: ``number`` of its entry, ``kind``,
  ``check_id`` (null: about no check), ``about``, ``until``,
  ``state`` (in force, expired), ``by``, ``because``, ``at``. The newest threshold of a check is in
  force, and the newest word about roll-back.
* ``sign_off``: ``number``, ``release``, ``decision``, ``by``, ``because``, ``at``, ``is_in_force`` (the release is).
* ``ledger_head``, at most one row: ``number``, ``hash``, ``at``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.audit.history import history, readable
from assets.audit.ledger import entries
from assets.audit.rolled_back import KIND as ROLLBACK
from assets.audit.rolled_back import RESUME_KIND as RESUME
from assets.outcomes.tables.quality import STATUSES
from assets.publication.kept_warehouse import kept_warehouse
from assets.publication.trail import DECISIONS, decided

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import duckdb

    from assets.audit.ledger import Entry
    from assets.home import Home
    from assets.publication.run_log import RunRecord

MOST_RUNS = 30
SIGN_OFF = "sign_off"
SECOND = timedelta(seconds=1)
TEXT, NUMBER = pl.String(), pl.Int64()
RUN_SCHEMA = pl.Schema(dict.fromkeys(("run_id", "started", "state"), TEXT))
BY_RUN_SCHEMA = pl.Schema(
    {**dict.fromkeys(("check_id", "run_id", "status"), TEXT), **dict.fromkeys(("evaluated", "violated"), NUMBER)}
)
DECISION_SCHEMA = pl.Schema(
    {"number": NUMBER, **dict.fromkeys(("kind", "check_id", "about", "until", "state", "by", "because", "at"), TEXT)}
)
SIGN_OFF_SCHEMA = pl.Schema(
    {
        "number": NUMBER,
        **dict.fromkeys(("release", "decision", "by", "because", "at"), TEXT),
        "is_in_force": pl.Boolean(),
    }
)
HEAD_SCHEMA = pl.Schema({"number": NUMBER, "hash": TEXT, "at": TEXT})


DELTA, DRIFT, WRITTEN = "check_delta", "check_drift", "check_written"
WRITTEN_RESULTS = """
select
    c.check_id, c.title, c.sentence, c.table_name, c.kind, c.stage, c.severity, c.tolerance, r.status,
    coalesce(r.evaluated, 0) as evaluated, coalesce(r.violated, 0) as violated, c.dimension, c.owner, c.blocks
from audit.check_catalogue as c inner join audit.check_result as r using (check_id)
where c.stage = 'published' and r.is_latest
order by c.check_id
"""


def quality_frames(home: Home, release: str, runs: Sequence[RunRecord], today: date) -> dict[str, pl.DataFrame]:
    """Return all frames of this module, of a home and the release in force in it."""
    with kept_warehouse(home, release) as connection:
        found = {
            DELTA: audit_frame(connection, "check_delta"),
            DRIFT: audit_frame(connection, "drift"),
            WRITTEN: written_results(connection),
        }
    with readable():
        of_runs = run_results(history(home), runs)
    return {
        **of_runs,
        **ledger_frames(entries(home.path), release, today),
        **{name: frame for name, frame in found.items() if frame is not None},
    }


def run_results(found: pl.LazyFrame, runs: Sequence[RunRecord]) -> dict[str, pl.DataFrame]:
    """Return ``check_run`` and ``check_by_run`` of the history of checks.

    The history names runs as Dagster does, one for each job; what was judged between start and end of a run of the
    log belongs to it.
    """
    jobs = found.group_by("run_id").agg(pl.col("at").min()).sort("at", "run_id").collect().to_dicts()
    of_job = {job["run_id"]: _run_of(job["at"], job["run_id"], runs) for job in jobs}
    last = list({run["run_id"]: run for run in of_job.values()}.values())[-MOST_RUNS:]
    names = {job: run["run_id"] for job, run in of_job.items() if run in last}
    worst = pl.Enum(STATUSES)
    by_run = (
        found.filter(pl.col("run_id").is_in(list(names)))
        .with_columns(pl.col("run_id").replace(names), pl.col("status").cast(worst))
        .group_by("check_id", "run_id")
        .agg(pl.col("status").max(), pl.col("evaluated").sum(), pl.col("violated").sum())
        .sort("check_id", "run_id")
        .collect()
    )
    return {
        "check_run": pl.DataFrame(last, schema=RUN_SCHEMA),
        "check_by_run": by_run.select(BY_RUN_SCHEMA.names()).cast(BY_RUN_SCHEMA),
    }


def written_results(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame | None:
    """Return ``check_written`` of a warehouse; None in one of before there was a catalogue."""
    if audit_frame(connection, "check_catalogue") is None:
        return None
    frame: pl.DataFrame = connection.sql(WRITTEN_RESULTS).pl()
    return frame


def audit_frame(connection: duckdb.DuckDBPyConnection, name: str) -> pl.DataFrame | None:
    """Return a table of ``audit``; None in a warehouse of before there was one."""
    is_there = connection.execute(
        "select 1 from information_schema.tables where table_schema = 'audit' and table_name = ?", [name]
    ).fetchall()
    if not is_there:
        return None
    frame: pl.DataFrame = connection.sql(f"select * from audit.{name} order by all").pl()
    return frame


def ledger_frames(found: Sequence[Entry], release: str, today: date) -> dict[str, pl.DataFrame]:
    """Return ``decision``, ``sign_off`` and ``ledger_head`` of the ledger.

    Args:
        found: entries of the ledger.
        release: the release in force.
        today: a decision that ends before it has expired.

    """
    decisions = [entry for entry in found if entry.kind in DECISIONS]
    last = {_topic(entry): entry.number for entry in decisions}
    signed = [entry for entry in found if entry.kind == SIGN_OFF]
    return {
        "decision": pl.DataFrame(
            [
                {
                    **_said(entry),
                    "kind": entry.kind,
                    "check_id": entry.body.get("check_id"),
                    "about": decided(entry),
                    "until": entry.body.get("until"),
                    "state": _state(entry, last, today),
                }
                for entry in decisions
            ],
            schema=DECISION_SCHEMA,
        ),
        SIGN_OFF: pl.DataFrame(
            [
                {
                    **_said(entry),
                    "release": entry.body.get("release"),
                    "decision": entry.body.get("decision"),
                    "is_in_force": entry.body.get("release") == release,
                }
                for entry in signed
            ],
            schema=SIGN_OFF_SCHEMA,
        ),
        "ledger_head": pl.DataFrame(
            [{"number": entry.number, "hash": entry.hash, "at": entry.at} for entry in found[-1:]], schema=HEAD_SCHEMA
        ),
    }


def _run_of(at: datetime, job: str, runs: Sequence[RunRecord]) -> dict[str, Any]:
    """The run in which something was judged; a job that somebody started in Dagster is a run of its own."""
    for run in reversed(runs):
        if datetime.fromisoformat(run.started) <= at:
            if run.finished is None or at <= datetime.fromisoformat(run.finished) + SECOND:
                return {"run_id": run.run_id, "started": run.started, "state": run.state.value}
            break
    return {"run_id": job, "started": at.isoformat(timespec="seconds"), "state": None}


def _said(entry: Entry) -> dict[str, Any]:
    """Who answers for an entry, why, and when it was made."""
    by = entry.by or entry.body.get("by")
    return {"number": entry.number, "by": by, "because": entry.body.get("because"), "at": entry.at}


def _topic(entry: Entry) -> object:
    """What the last decision about counts, and replaces those before; of other kinds each one stands for itself."""
    if entry.kind == "threshold":
        return entry.body.get("check_id")
    return "release" if entry.kind in (ROLLBACK, RESUME) else entry.number


def _state(entry: Entry, last: dict[object, int], today: date) -> str:
    until = entry.body.get("until")
    if until is not None and until < today.isoformat():
        return "expired"
    return "in force" if last[_topic(entry)] == entry.number else "replaced"
