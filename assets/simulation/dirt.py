"""Dirty rows as additional rows with keys of their own, so that no good row is touched and every count is exact.

Rows that need a parent hang from a *carrier*: per delivery one extra patient with one extra closed episode, whose
visits all lie on day 0. So accepted oddities (implausible values, one of two identical rows) add an episode without a
follow-up and change no result of any other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assets.simulation.faults import DIFFERENT, Fault, Row, Shape, measure_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assets.contract.model import Contract

INGESTED, ACCEPTED, QUARANTINED, SUPERSEDED, DEPENDENT = (
    "ingested",
    "accepted",
    "quarantined",
    "superseded",
    "dependent",
)
"""What becomes of a row. Dependent rows are good, but their parent is quarantined by a rule between rows."""

CARRIER_MEASURE = "groc"  # no pain and no motion: no outcome is computed from it
HANGS_FROM_VISIT = ("measurement", "treatment", "adverse_event")
LATE_DAY = "30"
COMPANIONS = 2
"""Good rows beside a bad one keep its check below the share of violations that holds a delivery."""

ORPHANED_VISIT = "visit.episode_key.reference"


@dataclass(slots=True)
class Soil:
    """The additional rows of one delivery and what is expected of them.

    ``lines`` holds (row, shape) by table, in file order, and ``broken`` beside them the checks that each violates;
    ``outcomes`` counts rows by table and outcome; ``violations`` rows by critical check; ``warnings`` rows by warning
    check, once over accepted rows and once over those set aside; ``dependents`` the check that good rows violate
    because their parent is quarantined.
    """

    lines: dict[str, list[tuple[Row, Shape | None]]] = field(default_factory=lambda: defaultdict(list))
    broken: dict[str, list[tuple[str, ...]]] = field(default_factory=lambda: defaultdict(list))
    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    violations: Counter[str] = field(default_factory=Counter)
    warnings: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    dependents: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)


def instances(faults: Sequence[Fault], rows: Mapping[str, int], share: float) -> dict[str, int]:
    """How often to plant each fault: ``share`` of its table's rows over all its faults, at least once."""
    per_table = Counter(fault.table for fault in faults)
    return {fault.name: max(1, round(share * rows[fault.table] / per_table[fault.table])) for fault in faults}


def plant(
    contract: Contract, faults: Sequence[Fault], counts: Mapping[str, int], clinics: Sequence[str], *, first: int = 1
) -> list[Soil]:
    """Make the additional rows of each delivery; ``clinics`` names one clinic of each.

    Instances of a fault go to the deliveries in turn, and faults start at different ones. Keys carry the number of the
    delivery, counted from ``first``.
    """
    planters = [_Planter(contract, number, clinic) for number, clinic in enumerate(clinics, start=first)]
    for position, fault in enumerate(faults):
        for instance in range(counts[fault.name]):
            planters[(position + instance) % len(planters)].plant(fault)
    return [planter.soil for planter in planters]


class _Planter:
    """Makes the additional rows of one delivery."""

    def __init__(self, contract: Contract, number: int, clinic: str) -> None:
        self.soil = Soil()
        self._contract = contract
        self._prefix = f"X{number}"
        self._clinic = clinic
        self._used = 0
        self._patient, self._episode = f"{self._prefix}-patient", f"{self._prefix}-episode"
        self._add("patient", self._good("patient") | {"patient_key": self._patient}, ACCEPTED)
        self._add("episode", self._good("episode") | {"episode_key": self._episode}, ACCEPTED)
        self._visit(self._episode, "0", ACCEPTED, "eval")

    def plant(self, fault: Fault) -> None:
        """Add one instance of ``fault``."""
        self.soil.faults[fault.name] += 1
        changes = {
            name: value.replace("{n}", self._key()) if value and "{n}" in value else value
            for name, value in fault.changes.items()
        }
        if fault.shape is Shape.CONFLICT:
            row = self._with_parent(fault.table)
            self._add(fault.table, row, QUARANTINED, fault)
            self._add(fault.table, row | DIFFERENT[fault.table], QUARANTINED, fault)
        elif fault.shape is Shape.REPEAT:
            row = self._with_parent(fault.table)
            self._add(fault.table, row, ACCEPTED)
            self._add(fault.table, row, SUPERSEDED)
        elif fault.shape is Shape.LATE_VISIT:
            row = self._good("episode") | changes
            self._add("episode", row, QUARANTINED, fault)
            self._visit(str(row["episode_key"]), "0", DEPENDENT, "eval")
            self._visit(str(row["episode_key"]), LATE_DAY, DEPENDENT, "treat")
            self.soil.dependents[ORPHANED_VISIT] += 2
        elif fault.shape is Shape.LATE_START:
            episode = self._good("episode")
            self._add("episode", episode, ACCEPTED)
            row = self._good("visit") | changes | {"episode_key": episode["episode_key"]}
            self._add("visit", row, ACCEPTED, fault)
        else:
            outcome = ACCEPTED if fault.shape is Shape.NOTED else QUARANTINED
            ragged = fault.shape if fault.shape in (Shape.TOO_MANY_FIELDS, Shape.TOO_FEW_FIELDS) else None
            self._add(fault.table, self._with_parent(fault.table, changes), outcome, fault, ragged)
            for _ in range(COMPANIONS if fault.companion else 0):
                self._add(fault.table, self._with_parent(fault.table, fault.companion), ACCEPTED)

    def _add(self, table: str, row: Row, outcome: str, fault: Fault | None = None, ragged: Shape | None = None) -> None:
        self.soil.lines[table].append((row, ragged))
        orphaned = (ORPHANED_VISIT,) if outcome == DEPENDENT else ()
        self.soil.broken[table].append((*fault.check_ids, *fault.warnings) if fault else orphaned)
        self.soil.outcomes[table].update((outcome, INGESTED))
        if fault is None:
            return
        if outcome == QUARANTINED:
            self.soil.violations.update(fault.check_ids)
        self.soil.warnings[outcome].update(fault.warnings)

    def _visit(self, episode: str, day: str, outcome: str, kind: str) -> str:
        row = self._good("visit") | {"episode_key": episode, "day_offset": day, "visit_type": kind}
        self._add("visit", row, outcome)
        return str(row["visit_key"])

    def _with_parent(self, table: str, changes: Row | None = None) -> Row:
        """A row of ``table`` with ``changes``; its parent, a fresh one where the key needs it, is added too."""
        changes = changes or {}
        row = self._good(table) | changes
        if table in HANGS_FROM_VISIT and "visit_key" not in changes:
            row["visit_key"] = self._visit(self._episode, "0", ACCEPTED, "treat")
        if table == "precaution" and "patient_key" not in changes:
            patient = self._good("patient")
            self._add("patient", patient, ACCEPTED)
            row["patient_key"] = patient["patient_key"]
        return row

    def _key(self) -> str:
        self._used += 1
        return f"{self._prefix}-{self._used:06d}"

    def _good(self, table: str) -> Row:
        """A good row with a fresh key and no parent of its own."""
        measure = self._contract.measure(CARRIER_MEASURE)
        rows: dict[str, Row] = {
            "patient": {"sex": "F", "age_years": "40", "zip3": "000", "population": "other"},
            "episode": {
                "patient_key": self._patient,
                "clinic_key": self._clinic,
                "condition_id": self._contract.conditions[0].condition_id,
                "start_year": "2025",
                "payer": "other",
                "discharge_reason": "unknown",
            },
            "visit": {
                "episode_key": self._episode,
                "day_offset": "0",
                "visit_type": "treat",
                "attendance": "attended",
                "adverse_events_asked": "unknown",
            },
            "measurement": {
                **measure_row(measure),
                "active_passive": "not_applicable",
                "method": "unknown",
                "value": "0",
            },
            "treatment": {"treatment_class": "massage", "minutes": "20"},
            "adverse_event": {"event_type": "soreness", "severity": "minor", "duration_hours": "24"},
            "precaution": {"precaution_type": "other", "present": "yes"},
        }
        row: Row = dict.fromkeys(self._contract.table(table).layout) | rows[table]
        own_key = f"{table}_key"
        if own_key in row:
            row[own_key] = self._key()
        return row
