"""Published frames about the data themselves: checks, quarantine, conservation. Counts of rows, not of patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.contract.checks import delivery_checks, release_checks
from assets.outcomes.frames import BOOLEAN, FLOAT, INTEGER, STRING, Layout, columns
from assets.outcomes.topic import Topic

if TYPE_CHECKING:
    from assets.contract.checks import Check
    from assets.contract.model import Contract
    from assets.outcomes.topic import Frames

CONSERVATION = Layout(
    columns(STRING, "delivery_id"),
    {
        **columns(STRING, "label", "extract_stamp", "state", "problem_code"),
        **columns(INTEGER, "ingested", "accepted", "quarantined", "superseded", "rejected", "out_of_scope"),
    },
    plain=("ingested", "accepted", "quarantined", "superseded", "rejected", "out_of_scope"),
)
QUARANTINE = Layout(
    columns(STRING, "table_name", "check_id", "reason"),
    {**columns(STRING, "title"), **columns(INTEGER, "rows", "to_correct")},
    plain=("rows", "to_correct"),
)
STATED = {
    **columns(STRING, "title", "sentence", "table_name", "kind", "stage", "severity", "dimension", "owner"),
    **columns(BOOLEAN, "blocks"),
    **columns(FLOAT, "tolerance"),
}
"""What the catalogue says of a check, beside its id."""
CHECKS = Layout(
    columns(STRING, "check_id"),
    {
        **STATED,
        **columns(STRING, "status"),
        **columns(INTEGER, "evaluated", "violated", "deliveries"),
    },
    plain=("evaluated", "violated", "deliveries"),
)
BY_DELIVERY = Layout(columns(STRING, "check_id", "delivery_id"), columns(STRING, "status"))
"""Only how a check ended: how many rows a delivery of one small clinic has may be how many patients it has."""
VOLUME = Layout(columns(STRING, "delivery_id"), {**columns(FLOAT, "times_usual"), **columns(BOOLEAN, "is_unusual")})
QUARANTINE_ORDER = ("table_name", "check_id", "title", "reason", "rows", "to_correct")

STATUSES = ("not_applicable", "pass", "pass_with_violations", "warn", "fail", "error")
"""What a check can say, from best to worst."""


def conservation(frame: pl.DataFrame) -> pl.DataFrame:
    """One row per delivery: where its rows went."""
    return CONSERVATION.arrange(frame)


def quarantine_by_reason(quarantine: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Rows set aside by check and reason, with the title of the check (its id, if the contract does not list it).

    ``to_correct`` are those nobody has corrected or waived yet.
    """
    titles = pl.DataFrame(
        [(check.check_id, check.title) for check in row_checks(contract)],
        schema={"check_id": pl.String, "title": pl.String},
        orient="row",
    )
    named = quarantine.join(titles, on="check_id", how="left").with_columns(pl.coalesce("title", "check_id"))
    return QUARANTINE.arrange(named).select(QUARANTINE_ORDER)


def check_summary(check_result: pl.DataFrame, catalogue: pl.DataFrame) -> pl.DataFrame:
    """Every check of the catalogue with its worst status over the deliveries; not_applicable if it never ran.

    Raises:
        ValueError: a result of a check that the catalogue does not list, or an unknown status.

    """
    checks = catalogue.select("check_id", *STATED)
    _refuse(set(check_result["check_id"]) - set(checks["check_id"]), "check without an entry in the catalogue")
    _refuse(set(check_result["status"]) - set(STATUSES), "unknown status of a check")
    worst = pl.col("status").replace_strict(STATUSES, range(len(STATUSES)), return_dtype=pl.Int64).max()
    results = check_result.group_by("check_id").agg(
        worst.replace_strict(range(len(STATUSES)), STATUSES, return_dtype=pl.String).alias("status"),
        pl.col("evaluated", "violated").sum(),
        pl.col("delivery_id").drop_nulls().n_unique().alias("deliveries"),
    )
    return CHECKS.arrange(
        checks.join(results, on="check_id", how="left").with_columns(
            pl.col("status").fill_null(STATUSES[0]), pl.col("evaluated", "violated", "deliveries").fill_null(0)
        )
    )


def check_by_delivery(check_result: pl.DataFrame) -> pl.DataFrame:
    """How each check ended on each delivery; without a delivery: on the accepted rows of all of them together."""
    return BY_DELIVERY.arrange(check_result)


def delivery_volume(volume: pl.DataFrame) -> pl.DataFrame:
    """The rows of each delivery as a multiple of what is usual for its source.

    Deliveries without another of their source are not listed. Usual rows of 0 give no multiple.
    """
    times = 2 * pl.col("ingested") / pl.when(pl.col("twice_usual") > 0).then(pl.col("twice_usual"))
    return VOLUME.arrange(volume.with_columns(times_usual=times))


def row_checks(contract: Contract) -> tuple[Check, ...]:
    """Every check that rows of deliveries can violate, one by one or together."""
    by_table = tuple(check for table in contract.tables for check in delivery_checks(contract, table))
    return by_table + release_checks(contract)


def _refuse(strange: set[str | None], what: str) -> None:
    if strange:
        message = f"{what}: {', '.join(sorted(str(name) for name in strange))}"
        raise ValueError(message)


def _build(marts: Frames, contract: Contract) -> dict[str, pl.DataFrame]:
    return {
        "check_by_delivery": check_by_delivery(marts["audit.check_result"]),
        "check_summary": check_summary(marts["audit.check_result"], marts["audit.check_catalogue"]),
        "conservation": conservation(marts["audit.conservation"]),
        "delivery_volume": delivery_volume(marts["audit.delivery_volume"]),
        "quarantine_by_reason": quarantine_by_reason(marts["audit.quarantine"], contract),
    }


TOPIC = Topic(
    reads=(
        *("audit.conservation", "audit.quarantine", "audit.check_catalogue", "audit.check_result"),
        "audit.delivery_volume",
    ),
    tables={
        "check_by_delivery": "How each check ended on each delivery",
        "check_summary": "Every check that runs before the pages are made, with its worst status over the deliveries",
        "conservation": "Where the rows of each delivery went",
        "delivery_volume": "Rows of each delivery as a multiple of what is usual for its source",
        "quarantine_by_reason": "Rows set aside, by check and reason",
    },
    build=_build,
)
