"""Source profiles: which column of a clinic's file is which canonical field.

A profile is a YAML file (see ``profiles/canonical.yaml`` and ``tests/profiles/``). It is the only thing a clinic's
engineer writes; it holds no code. Everything is declared, nothing is guessed.
"""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from assets.contract.model import Better, Bounds, Condition, Contract, Measure, ResponderRule, Table, Threshold
from assets.deliveries.problems import InputProblem

PROFILE_FOLDER = Path(__file__).parent / "profiles"


class Strict(BaseModel):
    """A mapping in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldSource(Strict):
    """Where a canonical field comes from: a column, several columns joined, or a constant.

    ``codes`` translates source codes; a code that is not listed stays as it is and is set aside as unknown. ``missing``
    lists texts that mean "not recorded". ``missing_when_blank`` names a sibling column: where that is blank this value
    is missing too, whatever it says (a 0 beside a blank score was never measured).
    """

    column: str | None = None
    columns: tuple[str, ...] = ()
    separator: str = "-"
    constant: str | int | None = None
    prefix: str = ""
    suffix: str = ""
    codes: dict[str, str] = Field(default_factory=dict)
    missing: tuple[str, ...] = ()
    missing_when_blank: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> FieldSource:
        given = (self.column is not None) + bool(self.columns) + (self.constant is not None)
        if given != 1:
            message = "give exactly one of column, columns and constant"
            raise ValueError(message)
        return self

    @property
    def used_columns(self) -> tuple[str, ...]:
        """Every source column this field reads."""
        named = (self.column, *self.columns, self.missing_when_blank)
        return tuple(name for name in named if name is not None)


def _short_form(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


Source = Annotated[FieldSource, BeforeValidator(_short_form)]
TextOrNumber = Annotated[str, BeforeValidator(str)]


class TableSource(Strict):
    """A canonical table that a file feeds; ``fields`` names the source of each canonical column."""

    table: str
    fields: dict[str, Source] | Literal["same_names"]
    skip_when_blank: str | None = None


class Score(Strict):
    """One score of a wide layout: which column holds which measure."""

    measure: str
    column: str
    side: Source = FieldSource(constant="none")
    method: Source = FieldSource(constant="unknown")
    active_passive: Source = FieldSource(constant="not_applicable")
    missing: tuple[str, ...] = ()
    missing_when_blank: str | None = None


class PlannedVisit(Strict):
    """One visit of a wide layout, with the scores taken at it."""

    name: str
    day: int
    visit_type: str
    scores: tuple[Score, ...]


class FileSource(Strict):
    """One file of a delivery and the canonical tables it feeds."""

    match: str
    format: Literal["csv", "parquet"] = "csv"
    delimiter: str = ","
    tables: tuple[TableSource, ...]
    visits: tuple[PlannedVisit, ...] = ()
    ignored: tuple[str, ...] = ()
    optional: bool = False


class ExtraMeasure(Strict):
    """A measure the contract does not know."""

    id: str
    label: str
    kind: Literal["pain", "function", "rom", "anchor"]
    unit: str
    better: Better
    low: float
    high: float
    why: str
    decimals: int = Field(ge=0, le=6)
    sided: bool = False
    mcid: float | None = None
    source: str


class ExtraCondition(Strict):
    """A condition the contract does not know."""

    id: str
    label: str
    sentence_label: str
    sided: bool = False
    pain_measure: str
    rom_measures: tuple[str, ...] = ()
    icd10cm: str = ""


class ExtraResponderRule(Strict):
    """A responder rule of a source, for one measure."""

    id: str
    label: str
    measure: str
    kind: Literal["points", "percent"]
    threshold: float
    source: str


class Profile(Strict):
    """A whole profile."""

    profile: str = Field(pattern=r"^[a-z0-9_]+$")
    version: int
    description: str
    privacy_mode: Literal["safe_harbor"]
    files: tuple[FileSource, ...]
    extract_stamp: TextOrNumber | None = None
    measures: tuple[ExtraMeasure, ...] = ()
    conditions: tuple[ExtraCondition, ...] = ()
    responder_rules: tuple[ExtraResponderRule, ...] = ()

    def extend(self, contract: Contract) -> Contract:
        """Return the contract with this profile's own measures, conditions and responder rules."""
        return contract.extended(
            measures=(
                Measure(
                    extra.id,
                    extra.label,
                    extra.kind,
                    extra.unit,
                    extra.better,
                    Bounds(extra.low, extra.high, extra.why),
                    decimals=extra.decimals,
                    sided=extra.sided,
                    mcid=None if extra.mcid is None else Threshold(extra.mcid, extra.source, verified=False),
                    source=extra.source,
                )
                for extra in self.measures
            ),
            conditions=(
                Condition(
                    extra.id,
                    extra.label,
                    extra.sentence_label,
                    extra.sided,
                    extra.pain_measure,
                    extra.rom_measures,
                    extra.icd10cm,
                )
                for extra in self.conditions
            ),
            responder_rules=(
                ResponderRule(extra.id, extra.label, extra.kind, extra.threshold, extra.source, extra.measure)
                for extra in self.responder_rules
            ),
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the profile's content, whatever its spelling in YAML."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load_profile(path: Path, contract: Contract) -> Profile:
    """Read and validate a profile.

    Raises:
        InputProblem: naming the line, the key and the nearest key that exists.

    """
    name = path.name
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise InputProblem("PROFILE", str(path), "the profile cannot be read", "Check the path") from None
    except UnicodeDecodeError:
        raise InputProblem("PROFILE", name, "the profile is not UTF-8", "Save it as UTF-8") from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}, line {mark.line + 1}" if mark else name
        raise InputProblem("PROFILE", where, "this is not valid YAML", "Check indentation and quotes") from None
    if not isinstance(content, dict):
        raise InputProblem("PROFILE", name, "the profile is not a mapping", "Start from profiles/canonical.yaml")
    try:
        profile = Profile.model_validate(content)
    except ValidationError as error:
        # an unknown key explains the missing one beside it
        errors = sorted(error.errors(), key=lambda entry: entry["type"] != "extra_forbidden")
        raise _profile_problem(name, node, errors[0]) from None
    try:
        extended = profile.extend(contract)
    except ValueError as error:
        raise InputProblem("PROFILE", name, str(error), "Choose another id") from None
    _check_fields(name, profile, extended)
    return profile


def find_profile(name: str, folder: Path, contract: Contract) -> Profile:
    """Load the profile called ``name`` from an installation's folder, else the one shipped under that name.

    Raises:
        InputProblem: there is none, or it is not valid.

    """
    for path in (folder / f"{name}.yaml", PROFILE_FOLDER / f"{name}.yaml"):
        if path.exists():
            return load_profile(path, contract)
    raise InputProblem("PROFILE", name, "there is no profile of this name", f"Put {name}.yaml into {folder}")


def save_profile(profile: Profile, path: Path) -> None:
    """Write a profile so that ``load_profile`` reads it back."""
    path.write_text(yaml.safe_dump(profile.model_dump(mode="json"), sort_keys=False), encoding="utf-8")


def _check_fields(name: str, profile: Profile, contract: Contract) -> None:
    tables = {table.name: table for table in contract.tables}
    measures = {measure.measure_id for measure in contract.measures}
    for file in profile.files:
        for source in file.tables:
            if source.table not in tables:
                raise _unknown(name, f"table {source.table!r}", source.table, tables)
            if source.fields != "same_names":
                _check_table_fields(name, tables[source.table], source.fields)
        for score in (score for visit in file.visits for score in visit.scores):
            if score.measure not in measures:
                raise _unknown(name, f"measure {score.measure!r}", score.measure, measures)
        if file.visits and not any(
            source.table == "episode" and source.fields != "same_names" for source in file.tables
        ):
            raise InputProblem("PROFILE", name, f"the visits of {file.match} belong to no episode", "Add its fields")


def _check_table_fields(name: str, table: Table, fields: dict[str, FieldSource]) -> None:
    for field in fields:
        if field not in table.names:
            raise _unknown(name, f"field {field!r} of {table.name}", field, table.names)
    for column in table.columns:
        if column.required and column.name not in fields:
            raise InputProblem(
                "PROFILE", name, f"{table.name} needs the field {column.name!r}", "Say which column holds it"
            )


def _unknown(name: str, what: str, key: str, known: Any) -> InputProblem:  # noqa: ANN401 any collection of names
    return InputProblem("PROFILE", name, f"{what} is not known", _suggestion(key, known))


def _suggestion(key: str, known: Any) -> str:  # noqa: ANN401 any collection of names
    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    return f"Perhaps {near[0]!r} is meant" if near else f"Known are: {', '.join(sorted(known))}"


def _profile_problem(name: str, root: yaml.Node | None, error: Any) -> InputProblem:  # noqa: ANN401 pydantic's own dict
    location = [part for part in error["loc"] if part not in ("same_names", "dict[str,function-before]")]
    line, known_path = _line_of(root, location)
    where = f"{name}, line {line}"
    key = str(location[-1]) if location else ""
    if error["type"] == "extra_forbidden":
        return InputProblem("PROFILE", where, f"the key {key!r} is not known", _suggestion(key, _keys_near(location)))
    if error["type"] == "missing":
        return InputProblem("PROFILE", where, f"the key {key!r} is missing", "Add it")
    path = ".".join(str(part) for part in location[:known_path])
    return InputProblem("PROFILE", where, f"{path}: {error['msg']}", "Compare with profiles/canonical.yaml")


def _keys_near(location: list[Any]) -> set[str]:
    """The keys that are valid where an unknown one stands, found by walking the models along the path."""
    words = [part for part in location[:-1] if isinstance(part, str)]
    model: type[Strict] = Profile
    inside: dict[str, type[Strict]] = {
        "files": FileSource,
        "tables": TableSource,
        "visits": PlannedVisit,
        "scores": Score,
        "measures": ExtraMeasure,
        "conditions": ExtraCondition,
        "responder_rules": ExtraResponderRule,
        "fields": FieldSource,
    }
    for word in words:
        model = inside.get(word, model)
    return set(model.model_fields)


def _line_of(root: yaml.Node | None, location: list[Any]) -> tuple[int, int]:
    """Line (from 1) of the deepest node on the path, and how many path parts lead to it."""
    node, line, depth = root, 1, 0
    for depth, part in enumerate(location, start=1):
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if found is None:
                return line, depth - 1
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line, depth - 1
    return line, depth
