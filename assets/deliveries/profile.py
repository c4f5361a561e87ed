"""Source profiles: which column of a clinic's file is which canonical field.

A profile is a YAML file (see ``profiles/canonical.yaml`` and ``tests/profiles/``). It is the only thing a clinic's
engineer writes; it holds no code. Everything is declared, nothing is guessed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import yaml
from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
)

from assets.contract.model import Better, Bounds, Condition, Measure, ResponderRule, Threshold
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile_check import check_profile
from assets.deliveries.profile_fields import FieldSource, FileSource, PlannedVisit, Score, Strict, TableSource
from assets.deliveries.profile_text import read_profile_text, suggestion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assets.contract.model import Contract
    from assets.deliveries.profile_text import Location, ProfileText

PROFILE_FOLDER = Path(__file__).parent / "profiles"


def _stamp(value: object) -> object:
    """YAML reads an unquoted time as one; a naive time is UTC."""
    if isinstance(value, dt.datetime):
        value = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{value.isoformat()}T00:00:00Z" if isinstance(value, dt.date) else value


Stamp = Annotated[str, BeforeValidator(_stamp), Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]
"""A time in UTC, written in one way, for stamps are compared as text."""


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
    files: tuple[FileSource, ...] = Field(min_length=1)
    extract_stamp: Stamp | None = None
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
    text = read_profile_text(path)
    try:
        profile = Profile.model_validate(text.content)
    except ValidationError as error:
        raise _most_telling(text, error) from None
    try:
        extended = profile.extend(contract)
    except ValueError as error:
        raise text.problem(_repeated_id(profile, str(error)), str(error), "Choose another id") from None
    check_profile(text, profile, extended)
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


def _most_telling(text: ProfileText, error: ValidationError) -> InputProblem:
    """One sentence for the first error; an unknown key explains the missing one beside it."""
    order = ("extra_forbidden", "literal_error", "enum")
    errors = [  # a mapping is never meant to be one word such as same_names
        entry
        for entry in error.errors(include_url=False)
        if entry["type"] != "literal_error" or isinstance(entry["input"], str)
    ]
    first = min(errors, key=lambda entry: order.index(entry["type"]) if entry["type"] in order else len(order))
    location, kind, given = first["loc"], first["type"], first["input"]
    key = str(location[-1]) if location else ""
    if kind == "extra_forbidden":
        return text.problem(location, f"the key {key!r} is not known", suggestion(key, _keys_near(location)))
    if kind == "missing":
        return text.problem(location, f"the key {key!r} is missing", "Add it")
    if kind in ("literal_error", "enum"):
        key = next(str(part) for part in reversed(location) if isinstance(part, str) and "[" not in part)
        expected = str(first["ctx"]["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        return text.problem(location, f"{key} cannot be {given!r}", suggestion(str(given), expected))
    names = ".".join(str(part) for part in location if isinstance(part, int) or "[" not in part)
    remedy = "Put it in quotes" if kind == "string_type" else "Compare with profiles/canonical.yaml"
    return text.problem(location, f"{names}: {first['msg']}", remedy)


def _repeated_id(profile: Profile, message: str) -> Location:
    """Where the id is that ``message`` of ``Contract.extended`` quotes."""
    lists: tuple[tuple[str, tuple[ExtraMeasure | ExtraCondition | ExtraResponderRule, ...]], ...] = (
        ("measures", profile.measures),
        ("conditions", profile.conditions),
        ("responder_rules", profile.responder_rules),
    )
    return next(
        (
            (key, position, "id")
            for key, extras in lists
            for position, extra in enumerate(extras)
            if f" {extra.id!r} " in message
        ),
        (),
    )


def _keys_near(location: Sequence[str | int]) -> set[str]:
    """The keys that are valid where an unknown one stands, found by walking the models along the path."""
    model: type[Strict] = Profile
    inside: dict[str | int, type[Strict]] = {
        "files": FileSource,
        "tables": TableSource,
        "visits": PlannedVisit,
        "scores": Score,
        "measures": ExtraMeasure,
        "conditions": ExtraCondition,
        "responder_rules": ExtraResponderRule,
        "fields": FieldSource,
        "side": FieldSource,
        "method": FieldSource,
        "active_passive": FieldSource,
    }
    for word in location[:-1]:
        model = inside.get(word, model)
    return set(model.model_fields)
