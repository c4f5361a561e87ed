"""Published frames about the way of every published number: what it rests on, and which open check keeps it back.

What a table reads is parsed from the SQL models, never declared. A check stands on the way of a table if it looks at
data of which the table is made.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from assets.contract.model import Severity
from assets.outcomes.tables.quality import row_checks
from assets.outcomes.topic import Topic
from assets.warehouse.models import load_models

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from assets.contract.checks import Check
    from assets.contract.model import Contract
    from assets.outcomes.topic import Frames

LAKE, AUDIT = "lake", "audit."
ABOUT, STATISTIC, RELATION, SQL, DATA = "about", "statistic", "relation", "sql", "data"
"""Kinds of sources: the table in words, its statistics by id, the relations it is computed from, every SQL file on the
way to them, and the tables of the contract at the beginning, whose checks stand on the way."""
SOURCE_SCHEMA = pl.Schema({"table_name": pl.String(), "kind": pl.String(), "source": pl.String()})
WITHHELD_SCHEMA = pl.Schema(
    {"table_name": pl.String(), "check_id": pl.String(), "measure_id": pl.String(), "reason": pl.String()}
)
WAIVER_SCHEMA = pl.Schema({"check_id": pl.String(), "lifts": pl.String(), "until": pl.String(), "rows": pl.Int64()})
HOLD, EVERYTHING = "hold", "all"
ACCEPTED, FAILED = "accepted", ("fail", "error")
BY_MEASURE = frozenset(("measure_summary", "provider_gain", "response", "trial_effect"))
"""Tables in which each row is about one measure of the contract."""


def topic(topics: Sequence[Topic]) -> Topic:
    """Return the topic about the tables of these topics."""

    def build(marts: Frames, contract: Contract) -> dict[str, pl.DataFrame]:
        sources = number_source(topics, contract)
        return {
            "number_source": sources,
            "waiver_in_force": waiver_in_force(marts["audit.quarantine_waiver"], marts["audit.hold_waiver"]),
            "withheld": withheld(
                sources,
                {name for one in topics for name in one.layouts},
                _not_waived(
                    _of_the_release(marts["audit.check_result"], marts["audit.conservation"]),
                    marts["audit.hold_waiver"],
                ),
                marts["audit.quarantine"],
                contract,
            ),
        }

    return Topic(
        reads=(
            *("audit.check_result", "audit.conservation", "audit.hold_waiver"),
            *("audit.quarantine", "audit.quarantine_waiver"),
        ),
        tables={
            "number_source": "What each published table rests on: statistics, relations, SQL files, data",
            "waiver_in_force": "Checks that for a time hold nothing back, or whose rows need not be corrected",
            "withheld": "Published tables whose numbers are withheld, and why",
        },
        build=build,
    )


def number_source(topics: Sequence[Topic], contract: Contract) -> pl.DataFrame:
    """Everything each published table rests on, one line per source."""
    rows = [
        (name, kind, source)
        for one in topics
        for name in one.tables
        for kind, found in _sources(one, name, contract).items()
        for source in found
    ]
    return pl.DataFrame(rows, schema=SOURCE_SCHEMA, orient="row").sort(SOURCE_SCHEMA.names())


def withheld(
    sources: pl.DataFrame,
    tables: Collection[str],
    check_result: pl.DataFrame,
    quarantine: pl.DataFrame,
    contract: Contract,
) -> pl.DataFrame:
    """Which of these tables, those about patients, have an open critical check on their way, and the reason in words.

    A check is open if it failed or could not run and, where it sets rows aside, some of them have been neither
    corrected nor waived. One about a single measure concerns, in tables by measure, that measure only
    (``measure_id``; null: the whole table).
    """
    rows = [
        (table, check.check_id, check.measure_id if table in BY_MEASURE else None, reason)
        for check, reason in _open_checks(check_result, quarantine, contract)
        for table in sources.filter((pl.col("kind") == DATA) & (pl.col("source") == check.table))["table_name"]
        if table in tables
    ]
    return pl.DataFrame(rows, schema=WITHHELD_SCHEMA, orient="row").sort(WITHHELD_SCHEMA.names())


def waiver_in_force(rows: pl.DataFrame, holds: pl.DataFrame) -> pl.DataFrame:
    """What was waived, by check and last day, with the rows that need not be corrected; not who decided."""
    of_rows = rows.with_columns(pl.lit("to_do").alias("lifts"))
    of_holds = holds.filter("is_in_force").select("check_id", pl.lit(HOLD).alias("lifts"), until="ends_on")
    found = pl.concat([of_rows, of_holds.unique()], how="diagonal_relaxed")
    return found.select(pl.col(name).cast(dtype) for name, dtype in WAIVER_SCHEMA.items()).sort(
        "check_id", "lifts", "until"
    )


def _of_the_release(check_result: pl.DataFrame, conservation: pl.DataFrame) -> pl.DataFrame:
    """Results on the deliveries that were taken in, and on all of them together."""
    accepted = conservation.filter(pl.col("state") == ACCEPTED)["delivery_id"].to_list()
    return check_result.filter(pl.col("delivery_id").is_null() | pl.col("delivery_id").is_in(accepted))


def _not_waived(check_result: pl.DataFrame, holds: pl.DataFrame) -> pl.DataFrame:
    """Results but failures that somebody answers for; a check that could not run cannot be waived."""
    in_force = holds.filter("is_in_force").select("check_id", covers="delivery_id", is_waived=pl.lit(value=True))
    mine = pl.coalesce("delivery_id", pl.lit(EVERYTHING))
    found = check_result.with_columns(mine=mine, every=pl.lit(EVERYTHING))
    for place in ("mine", "every"):
        found = found.join(in_force, how="left", left_on=["check_id", place], right_on=["check_id", "covers"])
        found = found.filter((pl.col("status") != "fail") | pl.col("is_waived").is_null()).drop("is_waived")
    return found.select(check_result.columns)


def _open_checks(
    check_result: pl.DataFrame, quarantine: pl.DataFrame, contract: Contract
) -> Iterator[tuple[Check, str]]:
    failed = check_result.filter(pl.col("status").is_in(FAILED) & (pl.col("severity") == Severity.CRITICAL.value))
    waiting = set(quarantine.filter(pl.col("to_correct") > 0)["check_id"])
    for check in row_checks(contract):
        found = failed.filter(pl.col("check_id") == check.check_id)
        if found.is_empty():
            continue
        if "error" in set(found["status"]):
            yield check, f"the check '{check.title}' could not be carried out"
        elif not check.sets_aside:
            yield check, f"the check '{check.title}' failed"
        elif check.check_id in waiting:
            yield check, f"the check '{check.title}' failed, and the rows it found are neither corrected nor waived"


def _sources(one: Topic, name: str, contract: Contract) -> dict[str, Sequence[str]]:
    layout = one.layouts.get(name)
    # lists in words are made from the contract, whatever the tables beside them read
    reads = one.reads if layout is not None or any(relation.startswith(AUDIT) for relation in one.reads) else ()
    files, tables = _way(reads)
    statistic = layout.statistic if layout is not None else None
    known = {table.name for table in contract.tables}
    return {
        ABOUT: (one.tables[name],),
        STATISTIC: (contract.statistic(statistic).versioned_id,) if statistic else (),
        RELATION: reads,
        SQL: files,
        DATA: tuple(table for table in tables if table in known),
    }


@cache
def _way(reads: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """SQL files on the way to these relations, and the tables of the lake at its beginning."""
    models = _models()
    waiting, seen = list(reads), set(reads)
    while waiting:
        for other in models.get(waiting.pop(), ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    files = tuple(f"sql/{relation.replace('.', '/')}.sql" for relation in sorted(seen) if relation in models)
    lake = tuple(sorted(name.partition(".")[2] for name in seen if name.startswith(f"{LAKE}.")))
    return files, lake


@cache
def _models() -> dict[str, tuple[str, ...]]:
    return {model.relation: tuple(".".join(other) for other in model.depends_on) for model in load_models()}
