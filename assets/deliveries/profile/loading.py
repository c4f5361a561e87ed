"""Source profiles: which column of a clinic's file is which canonical field.

A profile is a YAML file (see ``profiles/canonical.yaml`` and ``tests/profiles/``). It is the only thing a clinic's
engineer writes; it holds no code. Everything is declared, nothing is guessed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import shutil
from decimal import Decimal  # noqa: TC003 - pydantic needs it at run time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import yaml
from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
)

from assets.contract.model import (
    KEY_PATTERN,
    Better,
    Bounds,
    Condition,
    Measure,
    ResponderRule,
    Threshold,
    TrialPlan,
)
from assets.deliveries.problems import InputProblem
from assets.deliveries.profile.check import check_profile
from assets.deliveries.profile.errors import most_telling
from assets.deliveries.profile.fields import (
    FileSource,
    ReferenceSource,
    Strict,
)
from assets.deliveries.profile.text import read_profile_text

if TYPE_CHECKING:
    from assets.contract.model import Contract
    from assets.deliveries.profile.text import Location, ProfileText

PROFILE_FOLDER = Path(__file__).parents[1] / "profiles"
PROFILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def _stamp(value: object) -> object:
    """YAML reads an unquoted time as one; a naive time is UTC."""
    if isinstance(value, dt.datetime):
        value = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{value.isoformat()}T00:00:00Z" if isinstance(value, dt.date) else value


Stamp = Annotated[str, BeforeValidator(_stamp), Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]
"""A time in UTC, written in one way, for stamps are compared as text."""


PrivacyMode = Literal["safe_harbor", "limited_data_set"]


class ExtraMeasure(Strict):
    """A measure the contract does not know."""

    id: str
    label: str
    kind: Literal["pain", "function", "rom", "anchor", "context"]
    unit: str
    better: Better | None = None
    low: float
    high: float
    why: str
    decimals: int = Field(ge=0, le=6)
    sided: bool = False
    mcid: float | None = None
    predicts: str | None = None
    gain_of_all: dict[Literal["none", "some", "unknown"], Decimal] = Field(default_factory=dict)
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


class TrialAnalysis(Strict):
    """How the arms of the source's trial are compared."""

    reference_arm: str = Field(pattern=KEY_PATTERN)
    covariates: tuple[str, ...]


class AcceptedDrift(Strict):
    """A change of scale against the source's own history that a person has looked at and found right."""

    measure: str
    because: str = Field(min_length=10)


class Profile(Strict):
    """A whole profile.

    ``clinics`` is the closed list of clinics that may occur (empty: any). ``safe_harbor`` feeds carry no dates;
    ``limited_data_set`` feeds may carry real dates in columns that are declared as days, under a data use agreement.
    """

    profile: str = Field(pattern=r"^[a-z0-9_]+$")
    version: int
    description: str
    privacy_mode: PrivacyMode
    files: tuple[FileSource, ...] = Field(min_length=1)
    extract_stamp: Stamp | None = None
    clinics: tuple[str, ...] = ()
    references: tuple[ReferenceSource, ...] = ()
    accept_drift: tuple[AcceptedDrift, ...] = ()
    measures: tuple[ExtraMeasure, ...] = ()
    conditions: tuple[ExtraCondition, ...] = ()
    responder_rules: tuple[ExtraResponderRule, ...] = ()
    trial: TrialAnalysis | None = None

    def extend(self, contract: Contract) -> Contract:
        """Return the contract with this profile's own measures, conditions, responder rules and plan of a trial."""
        return contract.extended(
            measures=(
                Measure(
                    extra.id,
                    extra.label,
                    extra.kind,
                    extra.unit,
                    extra.better or Better.HIGHER,
                    Bounds(extra.low, extra.high, extra.why),
                    decimals=extra.decimals,
                    sided=extra.sided,
                    mcid=None if extra.mcid is None else Threshold(extra.mcid, extra.source, verified=False),
                    source=extra.source,
                    predicts=extra.predicts,
                    gain_of_all=tuple(sorted(extra.gain_of_all.items())),
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
            clinics=self.clinics,
            trials=() if self.trial is None else (self._plan(self.trial),),
        )

    def _plan(self, trial: TrialAnalysis) -> TrialPlan:
        return TrialPlan(self.profile, trial.reference_arm, trial.covariates)

    @property
    def digest(self) -> str:
        """SHA-256 of the content of the profile and its lists, whatever its spelling in YAML and wherever they lie."""
        lists = tuple(reference.model_copy(update={"file": ""}) for reference in self.references)
        return hashlib.sha256(self.model_copy(update={"references": lists}).model_dump_json().encode()).hexdigest()


def load_profile(path: Path, contract: Contract) -> Profile:
    """Read and validate a profile.

    Raises:
        InputProblem: naming the line, the key and the nearest key that exists.

    """
    text = read_profile_text(path)
    try:
        profile = Profile.model_validate(text.content)
    except ValidationError as error:
        raise most_telling(text, error, Profile) from None
    try:
        extended = profile.extend(contract)
    except ValueError as error:
        raise text.problem(_repeated_id(profile, str(error)), str(error), "Choose another id") from None
    check_profile(text, profile, extended)
    return _with_lists(text, profile, path.parent)


def _with_lists(text: ProfileText, profile: Profile, folder: Path) -> Profile:
    """The profile with the whereabouts and the hash of its reference lists."""
    found = []
    for position, reference in enumerate(profile.references):
        path = folder / reference.file
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            raise text.problem(
                ("references", position, "file"), "this list cannot be read", "Put it beside the profile"
            ) from None
        if reference.sha256 not in ("", digest):
            raise text.problem(
                ("references", position, "sha256"), "the list is not the one this hash belongs to", "Correct the hash"
            )
        found.append(reference.model_copy(update={"file": str(path), "sha256": digest}))
    return profile.model_copy(update={"references": tuple(found)})


def find_profile(name: str, folder: Path, contract: Contract) -> Profile:
    """Load the profile called ``name`` from an installation's folder, else the one shipped under that name.

    Raises:
        InputProblem: there is none, or it is not valid. A name that none can have is not repeated: who may write into
            the landing folder would write into the log.

    """
    if not PROFILE_NAME.fullmatch(name):
        raise InputProblem(
            "PROFILE", "profile", "its name holds others than letters, digits and _ . -, or is too long", "Rename it"
        )
    for path in (folder / f"{name}.yaml", PROFILE_FOLDER / f"{name}.yaml"):
        if path.exists():
            return load_profile(path, contract)
    raise InputProblem("PROFILE", name, "there is no profile of this name", f"Put {name}.yaml into {folder}")


def save_profile(profile: Profile, folder: Path) -> None:
    """Write ``profile.yaml`` and the lists it joins into a folder, so that ``load_profile`` reads it back."""
    lists = []
    for reference in profile.references:
        name = f"reference-{reference.name}.csv"
        shutil.copyfile(reference.file, folder / name)
        lists.append(reference.model_copy(update={"file": name}))
    saved = profile.model_copy(update={"references": tuple(lists)})
    text = yaml.safe_dump(saved.model_dump(mode="json"), sort_keys=False)
    (folder / "profile.yaml").write_text(text, encoding="utf-8")


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
