"""The vocabulary in which the contract is written: columns, tables, measures, conditions, definitions.

Everything that describes the data (reader schema, Great Expectations suites, Dagster column schemas,
DuckDB types and comments, data dictionary, simulator, axis titles) is derived from objects of these
classes and restates nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class ColumnType(StrEnum):
    """How the text of a delivery becomes a value."""

    KEY = "key"  # surrogate key: text that matches KEY_PATTERN
    CODE = "code"  # text from a closed list
    INTEGER = "integer"
    DAY = (
        "day"  # a whole number of days on a calendar: since 1970-01-01 where real dates may be sent, else since any day
    )
    SCORE = "score"  # DECIMAL below 100,000: exact, so that sums do not depend on the number of threads


class Severity(StrEnum):
    """What a violated check does: critical sets the row aside, warning only reports."""

    CRITICAL = "critical"
    WARNING = "warning"


class Better(StrEnum):
    """Direction of benefit of a measure."""

    LOWER = "lower"
    HIGHER = "higher"


class Occasion(StrEnum):
    """When pain has to be low for an episode to count as recovered."""

    HELD = "held"  # on two occasions some days apart, with none above the limit between
    DISCHARGE = "discharge"  # at the discharge visit
    EITHER = "either"  # held, or at the discharge visit


T = TypeVar("T")

SCORE_DECIMALS = 6
SCORE_DIGITS = 11
KEY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Inclusive limits in the unit of the column or measure they belong to, and why they are there."""

    low: float
    high: float
    why: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a canonical table.

    ``pattern`` is the form of a code that comes from no closed list; keys have a form of their own.
    ``optional`` columns need not be in a file of the canonical layout; those ``written_by_reader`` are not sent at all.
    ``required_unless`` names a column that can stand in for a required one. ``unreadable`` is the reason of a row whose
    text cannot be read as a number or day. ``possible`` bounds set a row aside, ``plausible`` bounds warn when more
    rows lie outside than the threshold of the check allows.
    """

    name: str
    type: ColumnType
    meaning: str
    unit: str | None = None
    required: bool = False
    required_unless: str | None = None
    optional: bool = False
    written_by_reader: bool = False
    unreadable: str = "NOT_NUMERIC"
    allowed: tuple[str, ...] = ()
    pattern: str | None = None
    possible: Bounds | None = None
    plausible: Bounds | None = None

    @property
    def duckdb_type(self) -> str:
        """The column's type in DuckDB."""
        return {
            ColumnType.KEY: "VARCHAR",
            ColumnType.CODE: "VARCHAR",
            ColumnType.INTEGER: "INTEGER",
            ColumnType.DAY: "INTEGER",
            ColumnType.SCORE: f"DECIMAL({SCORE_DIGITS},{SCORE_DECIMALS})",
        }[self.type]

    @property
    def is_number(self) -> bool:
        """Whether text has to be read as a number or day, so that unreadable text is kept beside the column."""
        return self.type in (ColumnType.INTEGER, ColumnType.DAY, ColumnType.SCORE)


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: ``column`` must occur as ``parent_column`` of ``parent``."""

    column: str
    parent: str
    parent_column: str


@dataclass(frozen=True, slots=True)
class Table:
    """A canonical table. ``key`` columns identify a row; a later row with the same key replaces it."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    references: tuple[Reference, ...] = ()

    def column(self, name: str) -> Column:
        """Return the column called ``name``; KeyError if the table has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in contract order."""
        return tuple(column.name for column in self.columns)

    @property
    def layout(self) -> tuple[str, ...]:
        """Columns that every file of the canonical layout has, in order."""
        return tuple(column.name for column in self.columns if not column.optional)


@dataclass(frozen=True, slots=True)
class Threshold:
    """A published number with its source. ``verified`` is False where it comes from memory only."""

    value: float
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a score of ``measure_id`` becomes one of another scale: times ``factor``, halves rounded up."""

    measure_id: str
    factor: Decimal


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that is scored at a visit: a pain scale, a function instrument, a joint motion.

    ``reference`` is the normal value of a motion, ``mdc`` the minimal detectable change, ``mcid`` the
    minimal clinically important difference, all in ``unit``. ``decimals`` is how many decimal places
    the scale has: a 5.5 on an integer scale is an error, not something to round. ``converted_from`` marks a score that
    was computed from another scale; it is a measure of its own, so that it is never paired with a score that was asked
    for on this scale, and it has no MCID. ``predicts`` marks a prediction, by the source's own model, of the later
    score of the measure it names: adjusted gains are made of it, and it is no outcome of its own. ``gain_of_all`` is
    the mean gain of all records of the source by earlier operations (none, some, unknown), where it publishes that
    because the feed leaves records out. A measure of construct ``context`` describes the patient (how many years a
    complaint has lasted): it is a covariate, never an outcome, and its direction of benefit means nothing.
    """

    measure_id: str
    label: str
    construct: str
    unit: str
    better: Better
    possible: Bounds
    plausible: Bounds | None = None
    decimals: int = 0
    sided: bool = False
    recall: str = ""
    mcid: Threshold | None = None
    mdc: Threshold | None = None
    reference: Threshold | None = None
    source: str = ""
    converted_from: Conversion | None = None
    predicts: str | None = None
    gain_of_all: tuple[tuple[str, Decimal], ...] = ()

    @property
    def step(self) -> Decimal:
        """Smallest difference the scale has, in ``unit``."""
        return Decimal(1).scaleb(-self.decimals)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition group. ``pain_measure`` and ``rom_measures`` are the primary outcomes.

    With several ``rom_measures`` the worse one (lowest share of its reference) counts.
    """

    condition_id: str
    label: str
    sentence_label: str
    sided: bool
    pain_measure: str
    rom_measures: tuple[str, ...]
    icd10cm: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class RecoveryDefinition:
    """When an episode counts as recovered. See ``definitions.py`` for the rule in words.

    ``pain_at_most`` in points. ``rom_rule``: ``reference_minus_mdc``, ``share_of_reference`` (with
    ``rom_share_percent``) or ``none`` (pain only). ``occasion`` says when pain has to be that low; pain is held on two
    occasions at least ``sustained_days`` apart with none above the limit between (0 where nothing has to be held).
    """

    definition_id: str
    version: int
    label: str
    sentence: str
    pain_at_most: int
    rom_rule: str
    rom_share_percent: int | None
    sustained_days: int
    occasion: Occasion = Occasion.EITHER
    is_default: bool = False

    @property
    def versioned_id(self) -> str:
        """Id with version, as published beside numbers that count the recovered."""
        return f"{self.definition_id}.v{self.version}"


@dataclass(frozen=True, slots=True)
class ResponderRule:
    """When an episode counts as a responder on a measure.

    ``kind`` is ``mcid`` (improvement of at least the measure's own MCID), ``points`` (of at least
    ``threshold`` units of the measure) or ``percent`` (of at least ``threshold`` percent of baseline).
    ``measure_id`` None applies the rule to every measure of ``construct``. Only episodes that had room
    to get better by that much are in the denominator; for ``percent`` the baseline must exceed 0. ``version`` rises
    when the rule changes.
    """

    rule_id: str
    label: str
    kind: str
    threshold: float | None
    source: str
    measure_id: str | None = None
    construct: str | None = None
    version: int = 1

    @property
    def versioned_id(self) -> str:
        """Id with version, as published beside the numbers."""
        return f"{self.rule_id}.v{self.version}"


@dataclass(frozen=True, slots=True)
class RegionMcid:
    """An MCID of one condition's pain measure that differs from the measure's own, in units of the measure.

    It applies only while ``Contract.region_mcid`` is on.
    """

    condition_id: str
    measure_id: str
    mcid: Threshold
    note: str = ""


@dataclass(frozen=True, slots=True)
class ImpactBand:
    """A band of change in pain, in percent of the first score (positive = less pain).

    A change belongs to the band if it is at least ``at_least_percent`` (None: no lower end) and ``below_percent``
    (None: no upper end) is not reached. A change below 0 has a band whatever the first score.
    """

    band_id: str
    label: str
    at_least_percent: int | None
    below_percent: int | None


@dataclass(frozen=True, slots=True)
class DeteriorationRule:
    """When an episode counts as worse: ``points`` more pain than at the start, on a scale of 0 to 10."""

    rule_id: str
    version: int
    label: str
    points: int
    source: str

    @property
    def versioned_id(self) -> str:
        """Id with version, as published beside the numbers."""
        return f"{self.rule_id}.v{self.version}"


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """How the arms of a trial are compared, as its protocol says.

    ``trial_id`` is the name of the profile whose feed has the arms. ``covariates`` are columns of the patient or the
    episode, or measures of which the baseline counts; the baseline of the outcome is always one.
    """

    trial_id: str
    reference_arm: str
    covariates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statistic:
    """What a published number is, in words: every published table names the statistic its numbers are.

    ``version`` rises when the rule changes, so that numbers of two releases are compared only where they mean the
    same. ``sentence`` is for a reader without statistics; ``method`` names formula or model; ``source`` its origin.
    ``of_recovery``: some of its numbers count the recovered by the default definition, which is named beside them.
    """

    statistic_id: str
    version: int
    label: str
    sentence: str
    numerator: str
    denominator: str
    exclusions: str
    window: str
    method: str
    source: str
    of_recovery: bool = False

    @property
    def versioned_id(self) -> str:
        """Id with version, as published beside the numbers."""
        return f"{self.statistic_id}.v{self.version}"


@dataclass(frozen=True, slots=True)
class Contract:
    """Everything the pipeline knows about its data, in one value."""

    version: str
    tables: tuple[Table, ...]
    measures: tuple[Measure, ...]
    conditions: tuple[Condition, ...]
    definitions: tuple[RecoveryDefinition, ...]
    responder_rules: tuple[ResponderRule, ...]
    clinics: tuple[str, ...] = ()
    statistics: tuple[Statistic, ...] = ()
    trials: tuple[TrialPlan, ...] = ()
    region_mcid: bool = False
    """Whether ``definitions.REGION_MCIDS`` replace the measure's own MCID; off, as they differ by anchor as well."""
    thresholds: Mapping[str, float] = field(default_factory=dict, hash=False)
    """What the people of this home decided a check may find, by check id, instead of the number in thresholds.csv."""

    def table(self, name: str) -> Table:
        """Return the table called ``name``; KeyError if there is none."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)

    def measure(self, measure_id: str) -> Measure:
        """Return a measure by id; KeyError if there is none."""
        for measure in self.measures:
            if measure.measure_id == measure_id:
                return measure
        raise KeyError(measure_id)

    @property
    def default_definition(self) -> RecoveryDefinition:
        """The recovery definition in force; ValueError unless there is exactly one."""
        (definition,) = (item for item in self.definitions if item.is_default)
        return definition

    def statistic(self, statistic_id: str) -> Statistic:
        """Return a statistic by id; KeyError if there is none."""
        for statistic in self.statistics:
            if statistic.statistic_id == statistic_id:
                return statistic
        raise KeyError(statistic_id)

    def extended(
        self,
        measures: Iterable[Measure] = (),
        conditions: Iterable[Condition] = (),
        responder_rules: Iterable[ResponderRule] = (),
        clinics: Iterable[str] = (),
        trials: Iterable[TrialPlan] = (),
    ) -> Contract:
        """Return the contract with what a profile adds; ``clinics`` is a closed list of clinic keys, empty for any.

        Raises:
            ValueError: an id that exists already with another meaning.

        """
        return replace(
            self,
            measures=_merged(self.measures, measures, "measure_id"),
            conditions=_merged(self.conditions, conditions, "condition_id"),
            responder_rules=_merged(self.responder_rules, responder_rules, "rule_id"),
            clinics=tuple(dict.fromkeys((*self.clinics, *clinics))),
            trials=_merged(self.trials, trials, "trial_id"),
        )


def _merged(known: tuple[T, ...], extra: Iterable[T], key: str) -> tuple[T, ...]:
    by_id = {getattr(item, key): item for item in known}
    for item in extra:
        identifier = getattr(item, key)
        if by_id.setdefault(identifier, item) != item:
            message = f"{key} {identifier!r} is already defined with another meaning"
            raise ValueError(message)
    return tuple(by_id.values())
