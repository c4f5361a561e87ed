"""Drift: does a night of a clinic look like the nights before it?

Watched are, for every clinic and source, the rows of each table, the codes, numbers and empty fields of each column,
and the scores of each measure: level, spread, step from the visit before, and the gap between the affected side and
the other. The latest night of a clinic is compared with up to ``HISTORY_NIGHTS`` nights before it; the first delivery,
which holds the past, is none of them.

A drift check warns when its score exceeds its threshold. The score is minus the decimal logarithm of a p-value that is
adjusted for everything looked at in the release, all clinics and all features. A threshold of 1.78 therefore means:
when nothing has changed, at most one release in 60 has a warning of any drift check, one in two months of nightly runs.

Measured: false alarms in 8 of 437 releases (0.5 a month) made of sixty nights of the simulated network, those of each
clinic in random order: four clinics, about 100 visits a night, 14 or 40 earlier nights. Seven are of two nights that
chance made: one clinic had no event, another no visit that did not take place.

What one night of that size cannot show: a rare code that is gone while others remain, all rare codes of a column gone
where about six rows were to be expected, and a common code of 25 rows that became another.

Four facts need no statistics: a delivery that is overdue, one with another number of files than always, one that
names clinics which never shared a delivery, and an episode that begins in a year after its extract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.check_kinds import Kind, Stage
from assets.contract.checks import Check, allowed_codes
from assets.contract.model import ColumnType, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.contract.model import Column, Contract, Table

HISTORY_NIGHTS = 40
"""Eight working weeks: long enough to know how nights differ, short enough that a change becomes usual."""
FEWEST_NIGHTS = 10
"""Fewer earlier nights say too little of how much nights differ."""
SUFFIX = "drift"
ARRIVAL, FILES, COMPANY = "delivery.arrival.drift", "delivery.files.drift", "delivery.clinic_key.drift"
ABSENT = f"no clinic has sent at least {FEWEST_NIGHTS} nights after its first delivery"
MOVES_BY_ITSELF = ("start_year",)
"""Numbers that change with the calendar: every January would be a drift."""


def check_id_of(table: str, part: str = "rows", measure_id: str = "") -> str:
    """Id of the drift check of a table's rows, of a column, or of the scores of a measure."""
    return f"{table}.{part}.{SUFFIX}" + (f".{measure_id}" if measure_id else "")


START_YEAR, ATTENDANCE = check_id_of("episode", "start_year"), check_id_of("visit", "attendance")


def watched_columns(contract: Contract, table: Table) -> tuple[Column, ...]:
    """Columns with codes, with numbers, or that may be empty."""
    return tuple(
        column
        for column in table.columns
        if column.name not in ("clinic_key", *MOVES_BY_ITSELF)
        and not column.written_by_reader
        and (watched_codes(contract, table, column) or is_watched_number(column) or not column.required)
    )


def watched_codes(contract: Contract, table: Table, column: Column) -> bool:
    """Whether how often each code occurs is watched."""
    return column.name != "clinic_key" and bool(allowed_codes(contract, table, column))


def is_watched_number(column: Column) -> bool:
    """Whether the values of a column are watched; scores are, by measure."""
    return column.type is ColumnType.INTEGER and column.name not in MOVES_BY_ITSELF


def drift_checks(contract: Contract) -> tuple[Check, ...]:
    """Return every drift check. They read ``audit.drift``, one row per check, clinic and source."""
    return tuple(_drift_checks(contract))


def _drift_checks(contract: Contract) -> Iterator[Check]:
    yield _check(
        ARRIVAL,
        "delivery",
        None,
        "Every clinic sent when it usually does",
        "On the latest day on which any clinic sent, a clinic that had sent on each of the ten days of deliveries "
        "before, or on this weekday for four weeks, sent too.",
    )
    yield _check(
        FILES,
        "delivery",
        None,
        "A delivery has as many files as always",
        f"Where the last {FEWEST_NIGHTS} deliveries of a clinic had the same number of files, the latest has it too.",
    )
    yield _check(
        COMPANY,
        "delivery",
        None,
        "A delivery speaks of the clinics it always spoke of",
        f"Clinics that have sent for {FEWEST_NIGHTS} nights name each other in no delivery for the first time.",
    )
    yield _check(
        START_YEAR,
        "episode",
        "start_year",
        "No episode begins after its extract",
        "No new episode has a start year later than that of the day after the extract.",
    )
    for table in contract.tables:
        yield _check(
            check_id_of(table.name),
            table.name,
            None,
            f"As many new rows of {table.name} as usual",
            f"The number of new rows of {table.name}, how many change an earlier row, and how many are set aside under "
            "each rule, are as in the clinic's nights before.",
        )
        for column in watched_columns(contract, table):
            words, check_id = column.name.replace("_", " "), check_id_of(table.name, column.name)
            yield _check(
                check_id,
                table.name,
                column.name,
                f"{table.name.replace('_', ' ').capitalize()}: {words} is distributed as usual",
                f"Codes, numbers and empty fields of {column.name} are as frequent as in the clinic's nights before."
                + (" So are attended visits of which nothing was written down." if check_id == ATTENDANCE else ""),
            )
    for measure in contract.measures:
        yield _check(
            check_id_of("measurement", "value", measure.measure_id),
            "measurement",
            "value",
            f"{measure.label} is distributed as usual",
            f"Level, spread, step from the visit before{' and difference between sides' if measure.sided else ''} of "
            f"{measure.label} are as in the clinic's nights before, and so are scores that no other night has.",
            measure.measure_id,
        )


def _check(
    check_id: str, table: str, column: str | None, title: str, sentence: str, measure_id: str | None = None
) -> Check:
    of_check = f"from audit.drift where check_id = '{check_id}'"
    return Check(
        check_id,
        Stage.RELEASE,
        Kind.DRIFT,
        table,
        column,
        title,
        sentence,
        Severity.WARNING,
        0.0,  # the threshold is on the score: what is counted here are the clinics beyond it
        "DRIFT",
        measure_id=measure_id,
        violated_sql=f"select clinic_key, delivery_id, feature, item, direction, score {of_check} and is_flagged",
        evaluated_sql=f"select count(*) {of_check}",
        absent=ABSENT,
        score_sql=f"select max(score) {of_check}",
    )
