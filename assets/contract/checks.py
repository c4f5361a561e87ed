"""Every check that follows from the contract, derived once.

The typing pass (Polars), the Great Expectations suites, Dagster's check specs, the quarantine and the check
catalogue all read this list. Two of the stages follow from the tables of the contract and are listed here:

* ``delivery``: rules of one row, evaluated when the delivery is read. Critical ones set the row aside.
* ``release``: rules between rows and tables, evaluated on all accepted rows together, because whether a key has
  a parent must not depend on the order in which deliveries arrive.

Checks of models, statistics and published files follow from those; ``assets.quality.catalogue`` lists all together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.contract.behaviour import BEHAVIOURS, VOLUME_DELIVERIES, VOLUME_FACTOR
from assets.contract.check_kinds import KINDS, Category, Dimension, Kind, KindFacts, Stage
from assets.contract.model import KEY_PATTERN, Bounds, ColumnType, Severity
from assets.contract.thresholds import tolerance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.contract.model import Column, Contract, Measure, Table

__all__ = ["Check", "Kind", "Stage", "allowed_codes", "delivery_checks", "new_check", "release_checks"]

UNKNOWN = {"measure_id": "UNKNOWN_MEASURE", "side": "SIDE", "clinic_key": "UNKNOWN_CLINIC"}
"""Reason of an unknown code, by column; UNKNOWN_CODE for all others."""


FIRST_DAY = 7305
"""1990-01-01 in days since 1970-01-01: electronic records start about then, older dates are placeholders."""
ABOUT_TIME = frozenset({"DATE_ORDER", "DATE_RANGE", "SAME_MINUTE"})
"""Reasons of rules about when something happened, whatever their kind."""


@dataclass(frozen=True, slots=True)
class Check:
    """One concrete check.

    ``tolerance`` is the share of evaluated rows that may violate the check before it fails. ``reason`` is the code
    a row carries into quarantine. ``measure_id`` limits a check on ``measurement.value`` to one measure.
    ``violated`` is a SQL condition, true for violating rows, for rules that no other field states; DuckDB and Polars
    both evaluate it. In ``measurement`` it may use ``measure_unit``, ``measure_sided`` and ``measure_step`` (smallest
    difference the scale has, 1 or 0.1 ...) of the row's measure; they are null for an unknown measure.

    A *SQL check* is stated whole: ``violated_sql`` lists what violates it, one row each, named by keys and never by a
    value of a patient, and ``evaluated_sql`` returns the one number of what was looked at. ``absent`` says in words
    why there was nothing to look at, where that number is 0. ``score_sql`` returns the number that is compared with the
    threshold, where that is not a share of rows.
    """

    check_id: str
    stage: Stage
    kind: Kind
    table: str
    column: str | None
    title: str
    sentence: str
    severity: Severity
    tolerance: float
    reason: str
    allowed: tuple[str, ...] = ()
    bounds: Bounds | None = None
    pattern: str | None = None
    measure_id: str | None = None
    violated: str | None = None
    violated_sql: str = ""
    evaluated_sql: str = ""
    absent: str = ""
    score_sql: str = ""

    @property
    def facts(self) -> KindFacts:
        """What it has in common with all checks of its kind: owner, since when, why, and what to do."""
        return KINDS[self.kind]

    @property
    def dimension(self) -> Dimension:
        """Kahn's subcategory."""
        return Dimension.TEMPORAL if self.reason in ABOUT_TIME else self.facts.dimension

    @property
    def category(self) -> Category:
        """Kahn's category."""
        return self.dimension.category

    @property
    def is_sql(self) -> bool:
        """Whether its two queries state it whole."""
        return bool(self.violated_sql)

    @property
    def sets_aside(self) -> bool:
        """Whether a violating row is quarantined."""
        return (
            self.severity is Severity.CRITICAL
            and not self.is_sql
            and self.kind not in (Kind.SCHEMA, Kind.TYPE, Kind.USABLE)
        )

    @property
    def blocks(self) -> bool:
        """Whether a failure holds the delivery or the release.

        A row rule never does: what it finds is set aside, and how much that is, is the check ``usable``.
        """
        if self.stage is not Stage.DELIVERY:
            return self.severity is Severity.CRITICAL
        return self.kind in (Kind.SCHEMA, Kind.TYPE, Kind.USABLE)


def delivery_checks(contract: Contract, table: Table) -> tuple[Check, ...]:
    """All checks of one table that are evaluated when a delivery is read."""
    return tuple(_delivery_checks(contract, table))


def release_checks(contract: Contract) -> tuple[Check, ...]:
    """All checks between rows and tables."""
    return tuple(_release_checks(contract))


def new_check(
    contract: Contract,
    check_id: str,
    stage: Stage,
    kind: Kind,
    table: str,
    column: str | None,
    title: str,
    sentence: str,
    severity: Severity,
    reason: str,
    **how: object,
) -> Check:
    """Return a check with the threshold in force."""
    share = tolerance(check_id, kind, contract.thresholds)
    return Check(
        check_id,
        stage,
        kind,
        table,
        column,
        title,
        sentence,
        severity,
        share,
        reason,
        **how,  # type: ignore[arg-type]
    )


def _delivery_checks(contract: Contract, table: Table) -> Iterator[Check]:
    yield new_check(
        contract,
        f"{table.name}.schema",
        Stage.DELIVERY,
        Kind.SCHEMA,
        table.name,
        None,
        f"Columns of {table.name} are as agreed",
        f"{table.name} has exactly the columns of the contract.",
        Severity.CRITICAL,
        "SCHEMA",
        allowed=table.names,
    )
    yield new_check(
        contract,
        f"{table.name}.row.structure",
        Stage.DELIVERY,
        Kind.STRUCTURE,
        table.name,
        None,
        f"Rows of {table.name} have as many fields as the header",
        "A row has as many fields as the header, no control characters and is not longer than any real row.",
        Severity.CRITICAL,
        "STRUCTURE",
    )
    usable = f"{table.name}.rows.usable"
    lost = tolerance(usable, Kind.USABLE, contract.thresholds)
    yield new_check(
        contract,
        usable,
        Stage.DELIVERY,
        Kind.USABLE,
        table.name,
        None,
        f"Most rows of {table.name} can be used",
        f"At least {1 - lost:.0%} of the rows of {table.name} violate no critical rule.",
        Severity.CRITICAL,
        "UNUSABLE",
    )
    for column in table.columns:
        yield from _column_checks(contract, table, column)
    yield from _row_rules(contract, table)


def _column_checks(contract: Contract, table: Table, column: Column) -> Iterator[Check]:
    def check(kind: Kind, words: str, severity: Severity, reason: str, **how: object) -> Check:
        return new_check(
            contract,
            f"{table.name}.{column.name}.{kind}",
            Stage.DELIVERY,
            kind,
            table.name,
            column.name,
            f"{_spoken(table.name)}: {_spoken(column.name).lower()} {words}",
            f"{_spoken(column.name)} {words} ({column.meaning[:1].lower()}{column.meaning[1:]}).",
            severity,
            reason,
            **how,
        )

    critical = Severity.CRITICAL
    yield check(Kind.TYPE, f"is stored as {column.duckdb_type}", critical, "SCHEMA")
    if column.required:
        reason = "NULL_KEY" if column.type is ColumnType.KEY else "NULL_VALUE"
        words = f"or {column.required_unless} is filled in" if column.required_unless else "is filled in"
        yield check(Kind.REQUIRED, words, critical, reason)
    if column.is_number:
        words = "can be read as a day" if column.type is ColumnType.DAY else "can be read as a number"
        yield check(Kind.READABLE, words, critical, column.unreadable)
    is_own_key = column.type is ColumnType.KEY and not _is_foreign(table, column)
    pattern = KEY_PATTERN if is_own_key else column.pattern
    if pattern:
        words, reason = (
            ("has the form of a key", "KEY_FORMAT") if is_own_key else ("has the agreed form", "UNKNOWN_CODE")
        )
        yield check(Kind.PATTERN, words, critical, reason, pattern=pattern)
    allowed = allowed_codes(contract, table, column)
    if allowed:
        reason = UNKNOWN.get(column.name, "UNKNOWN_CODE")
        yield check(Kind.ALLOWED, "is a known code", critical, reason, allowed=allowed)
    if column.possible:
        words = f"lies between {column.possible.low:g} and {column.possible.high:g} {column.unit}"
        yield check(Kind.POSSIBLE, words, critical, "RANGE", bounds=column.possible)
    if column.plausible:
        words = f"usually lies between {column.plausible.low:g} and {column.plausible.high:g} {column.unit}"
        yield check(Kind.PLAUSIBLE, words, Severity.WARNING, "IMPLAUSIBLE", bounds=column.plausible)
    if (table.name, column.name) == ("measurement", "value"):
        for measure in contract.measures:
            yield from _measure_checks(contract, measure)


def _measure_checks(contract: Contract, measure: Measure) -> Iterator[Check]:
    yield new_check(
        contract,
        f"measurement.value.possible.{measure.measure_id}",
        Stage.DELIVERY,
        Kind.POSSIBLE,
        "measurement",
        "value",
        f"{measure.label} is possible",
        f"{measure.label} lies between {measure.possible.low:g} and {measure.possible.high:g} {measure.unit}: "
        f"{measure.possible.why}.",
        Severity.CRITICAL,
        "RANGE",
        bounds=measure.possible,
        measure_id=measure.measure_id,
    )
    if measure.plausible:
        yield new_check(
            contract,
            f"measurement.value.plausible.{measure.measure_id}",
            Stage.DELIVERY,
            Kind.PLAUSIBLE,
            "measurement",
            "value",
            f"{measure.label} is plausible",
            f"{measure.label} usually lies between {measure.plausible.low:g} and {measure.plausible.high:g} "
            f"{measure.unit}: {measure.plausible.why}.",
            Severity.WARNING,
            "IMPLAUSIBLE",
            bounds=measure.plausible,
            measure_id=measure.measure_id,
        )


def _row_rules(contract: Contract, table: Table) -> Iterator[Check]:
    def rule(column: str, name: str, title: str, reason: str, violated: str, severity: Severity) -> Check:
        return new_check(
            contract,
            f"{table.name}.{column}.{name}",
            Stage.DELIVERY,
            Kind.ROW_RULE,
            table.name,
            column,
            title,
            f"{title}.",
            severity,
            reason,
            violated=violated,
        )

    if table.name == "measurement":
        yield rule(
            "unit",
            "of_measure",
            "The unit is the unit of the measure",
            "UNIT",
            "unit <> measure_unit",
            Severity.CRITICAL,
        )
        yield rule(
            "side",
            "of_measure",
            "A measure with sides says which side, a measure without says none",
            "SIDE",
            "(measure_sided and side not in ('left', 'right')) or (not measure_sided and side <> 'none')",
            Severity.CRITICAL,
        )
        yield rule(
            "value",
            "decimals",
            "The score has no more decimals than the scale",
            "PRECISION",
            "value % measure_step <> 0",
            Severity.CRITICAL,
        )
    if table.name == "visit":
        yield rule(
            "calendar_day",
            "dated",
            "A date lies after 1989 and not after the extract it came in",
            "DATE_RANGE",
            f"extract_day is not null and (calendar_day < {FIRST_DAY} or calendar_day > extract_day)",
            Severity.CRITICAL,
        )
    if table.name == "episode":
        yield rule(
            "discharge_day",
            "only_when_closed",
            "An open episode has no discharge day",
            "DATE_ORDER",
            "discharge_reason = 'still_open' and discharge_day is not null",
            Severity.CRITICAL,
        )
    if table.name == "treatment":
        yield rule(
            "needle_count",
            "only_needling",
            "Needles are counted for needling only",
            "INCONSISTENT",
            "treatment_class not in ('dry_needling', 'acupuncture', 'sham') and needle_count is not null",
            Severity.CRITICAL,
        )
        yield rule(
            "ltr_elicited",
            "stated",
            "Needling says whether a twitch was seen or not recorded",
            "NOT_STATED",
            "treatment_class = 'dry_needling' and ltr_elicited is null",
            Severity.WARNING,
        )
    if table.name == "adverse_event":
        yield rule(
            "severity",
            "of_type",
            "Pneumothorax, nerve injury and infection are major",
            "INCONSISTENT",
            "event_type in ('pneumothorax', 'nerve_injury', 'infection') and severity = 'minor'",
            Severity.CRITICAL,
        )


def _release_checks(contract: Contract) -> Iterator[Check]:
    for table in contract.tables:
        yield new_check(
            contract,
            f"{table.name}.key.unique",
            Stage.RELEASE,
            Kind.UNIQUE,
            table.name,
            None,
            f"One row for each {table.name}",
            f"Within one delivery, {', '.join(table.key)} identify one row of {table.name}.",
            Severity.CRITICAL,
            "DUPLICATE_KEY",
        )
        for reference in table.references:
            yield new_check(
                contract,
                f"{table.name}.{reference.column}.reference",
                Stage.RELEASE,
                Kind.REFERENCE,
                table.name,
                reference.column,
                f"Every {table.name} belongs to a known {reference.parent}",
                f"{reference.column} of {table.name} occurs as {reference.parent_column} of {reference.parent}.",
                Severity.CRITICAL,
                "ORPHAN",
            )
    for table_name, column, name, title, reason, severity in (
        (
            "episode",
            "discharge_day",
            "after_last_visit",
            "No attended care visit lies after discharge",
            "DATE_ORDER",
            Severity.CRITICAL,
        ),
        (
            "treatment",
            "treatment_class",
            "sham_in_trials_only",
            "Sham treatment occurs in trials only",
            "INCONSISTENT",
            Severity.CRITICAL,
        ),
        (
            "visit",
            "day_offset",
            "starts_at_zero",
            "The first visit of an episode is day 0",
            "DATE_ORDER",
            Severity.WARNING,
        ),
        (
            "measurement",
            "measure_id",
            "same_at_both_ends",
            "Pain is scored with one measure at both ends",
            "NO_COMPARABLE_PAIR",
            Severity.WARNING,
        ),
    ):
        yield new_check(
            contract,
            f"{table_name}.{column}.{name}",
            Stage.RELEASE,
            Kind.RULE,
            table_name,
            column,
            title,
            f"{title}.",
            severity,
            reason,
        )
    for habit in BEHAVIOURS:
        yield new_check(
            contract,
            habit.check_id,
            Stage.RELEASE,
            Kind.BEHAVIOUR,
            habit.table,
            habit.column,
            habit.title,
            habit.sentence,
            Severity.WARNING,
            habit.reason,
        )
    yield new_check(
        contract,
        "delivery.rows.usual_volume",
        Stage.RELEASE,
        Kind.VOLUME,
        "delivery",
        None,
        "A delivery has about as many rows as is usual for its source",
        f"A delivery has between 1/{VOLUME_FACTOR} and {VOLUME_FACTOR} times the median rows of the other deliveries "
        f"of the same profile and clinics, of which there must be {VOLUME_DELIVERIES}.",
        Severity.WARNING,
        "VOLUME",
    )


def allowed_codes(contract: Contract, table: Table, column: Column) -> tuple[str, ...]:
    """Codes a column may hold; empty where it is not a closed list."""
    if (table.name, column.name) == ("episode", "condition_id"):
        return tuple(condition.condition_id for condition in contract.conditions)
    if (table.name, column.name) == ("episode", "clinic_key"):
        return contract.clinics
    if (table.name, column.name) == ("measurement", "measure_id"):
        return tuple(measure.measure_id for measure in contract.measures)
    return column.allowed


def _spoken(name: str) -> str:
    """A name as a person would say it."""
    return name.replace("_", " ").capitalize()


def _is_foreign(table: Table, column: Column) -> bool:
    return any(reference.column == column.name for reference in table.references)
