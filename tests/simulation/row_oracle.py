"""An independent reading of the contract's checks, row by row in plain Python."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from assets.contract.checks import Kind, delivery_checks
from assets.contract.model import Severity
from assets.simulation.faults import is_of_layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from assets.contract.checks import Check
    from assets.contract.model import Contract

Row = dict[str, str]
Tables = dict[str, list[Row]]


def number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def rule(contract: Contract, check_id: str, row: Row) -> bool:
    """The rules that the contract states in SQL."""
    measures = {measure.measure_id: measure for measure in contract.measures}
    measure = measures.get(row.get("measure_id", ""))
    if check_id.startswith("measurement.") and measure is None:
        return False
    if check_id == "measurement.unit.of_measure":
        return row["unit"] not in ("", measure.unit)
    if check_id == "measurement.side.of_measure":
        return row["side"] not in ("", *(("left", "right") if measure.sided else ("none",)))
    if check_id == "measurement.value.decimals":
        value = number(row["value"])
        return value is not None and value % measure.step != 0
    rules: dict[str, Callable[[], bool]] = {
        "episode.discharge_day.only_when_closed": lambda: (
            row["discharge_reason"] == "still_open" and row["discharge_day"] != ""
        ),
        "treatment.needle_count.only_needling": lambda: (
            row["treatment_class"] not in ("", "dry_needling", "acupuncture", "sham") and row["needle_count"] != ""
        ),
        "treatment.ltr_elicited.stated": lambda: row["treatment_class"] == "dry_needling" and row["ltr_elicited"] == "",
        "adverse_event.severity.of_type": lambda: (
            row["event_type"] in ("pneumothorax", "nerve_injury", "infection") and row["severity"] == "minor"
        ),
    }
    return rules[check_id]()


def violated(contract: Contract, check: Check, row: Row) -> bool:
    if check.kind in (Kind.SCHEMA, Kind.TYPE, Kind.STRUCTURE, Kind.USABLE) or not is_of_layout(contract, check):
        return False
    if check.kind is Kind.ROW_RULE:
        return rule(contract, check.check_id, row)
    text = row[str(check.column)]
    if check.kind is Kind.REQUIRED:
        return text == ""
    if text == "" or (check.measure_id and row["measure_id"] != check.measure_id):
        return False
    value = number(text)
    tests: dict[Kind, Callable[[], bool]] = {
        Kind.READABLE: lambda: value is None,
        Kind.PATTERN: lambda: re.search(str(check.pattern), text) is None,
        Kind.ALLOWED: lambda: text not in check.allowed,
        Kind.POSSIBLE: lambda: value is not None and not check.bounds.low <= value <= check.bounds.high,
        Kind.PLAUSIBLE: lambda: value is not None and not check.bounds.low <= value <= check.bounds.high,
    }
    return tests[check.kind]()


def row_violations(contract: Contract, table: str, row: Row) -> tuple[list[str], list[str]]:
    """Critical and warning checks of one row that it violates."""
    broken = [c for c in delivery_checks(contract, contract.table(table)) if violated(contract, c, row)]
    return (
        [c.check_id for c in broken if c.severity is Severity.CRITICAL],
        [c.check_id for c in broken if c.severity is Severity.WARNING],
    )


def between_rows(contract: Contract, tables: Tables) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Critical and warning checks between the accepted rows of one delivery, and superseded rows by table."""
    critical: Counter[str] = Counter()
    superseded: Counter[str] = Counter()
    for table in contract.tables:
        contents = defaultdict(list)
        for row in tables[table.name]:
            contents[tuple(row[name] for name in table.key)].append(tuple(row.values()))
        for same_key in contents.values():
            if len(set(same_key)) > 1:
                critical[f"{table.name}.key.unique"] += len(same_key)
            else:
                superseded[table.name] += len(same_key) - 1
        for reference in table.references:
            known = {row[reference.parent_column] for row in tables[reference.parent]}
            orphans = sum(row[reference.column] not in known for row in tables[table.name])
            critical[f"{table.name}.{reference.column}.reference"] += orphans
    days = _days_by_episode(tables["visit"])
    critical["episode.discharge_day.after_last_visit"] += sum(
        row["discharge_day"] != "" and any(day > int(row["discharge_day"]) for day, in_care in days[key] if in_care)
        for row in tables["episode"]
        if (key := row["episode_key"]) in days
    )
    critical["treatment.treatment_class.sham_in_trials_only"] += sum(
        row["treatment_class"] == "sham" for row in tables["treatment"]
    )
    late = sum(min(day for day, _ in days.get(row["episode_key"], [(0, True)])) != 0 for row in tables["episode"])
    return critical, Counter({"visit.day_offset.starts_at_zero": late}), superseded


def _days_by_episode(visits: list[Row]) -> dict[str, list[tuple[int, bool]]]:
    """Day of each visit, and whether it was an attended one in care."""
    days = defaultdict(list)
    for visit in visits:
        in_care = visit["attendance"] == "attended" and visit["visit_type"] != "follow_up"
        days[visit["episode_key"]].append((int(visit["day_offset"]), in_care))
    return days
