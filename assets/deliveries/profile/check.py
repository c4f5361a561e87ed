"""Compares a profile with the contract and with itself: everything that it names must exist, where it is used."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from assets.contract.definitions import TRIAL_COVARIATES
from assets.contract.model import KEY_PATTERN
from assets.deliveries.profile.check_tables import RESERVED_COLUMNS, check_scores, check_table, check_visits
from assets.deliveries.profile.fields import FileSource
from assets.deliveries.profile.text import said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from assets.contract.model import Contract
    from assets.deliveries.profile.fields import Join, Score, TableSource
    from assets.deliveries.profile.loading import Profile
    from assets.deliveries.profile.text import Location, ProfileText

LAST_VERSION = 999_999_999
FORMAT_KEYS = dict.fromkeys(("delimiter", "encoding", "decimal"), "csv") | {
    "sheet": "excel",
    "resource": "fhir",
    "columns": "fhir",
}
"""Keys of a file that mean something in one format only."""


def check_profile(text: ProfileText, profile: Profile, contract: Contract) -> None:
    """Find the first thing that is wrong although the profile has the right form.

    ``contract`` is the one with the profile's own additions.

    Raises:
        InputProblem: naming the line, the entry and the nearest one that exists.

    """
    if not 0 <= profile.version <= LAST_VERSION:
        raise text.problem(("version",), f"version lies between 0 and {LAST_VERSION}", "Count from 1")
    _check_additions(text, profile, contract)
    _check_clinics(text, profile.clinics)
    for position, accepted in enumerate(profile.accept_drift):
        _check_measures(text, ("accept_drift", position, "measure"), (accepted.measure,), contract)
    headers = _check_references(text, profile)
    matches = [file.match for file in profile.files]
    for position, match in enumerate(matches):
        if match in matches[:position]:
            what = f"two files are called {match!r}"
            raise text.problem(("files", position, "match"), what, "Describe each file once")
    joined = {join.file for file in profile.files for join in file.joins}
    for position, file in enumerate(profile.files):
        here = ("files", position)
        if not (file.tables or file.visits or file.match in joined):
            what = f"{file.match} feeds no table and no file is joined to it"
            raise text.problem((*here, "match"), what, "Add tables, or leave the file out")
        _check_format(text, here, file)
        _check_joins(text, here, file, profile, headers)
        _check_feeds(text, here, file, profile, contract)


def _check_additions(text: ProfileText, profile: Profile, contract: Contract) -> None:
    for position, extra in enumerate(profile.measures):
        if not extra.low < extra.high:
            raise text.problem(("measures", position, "high"), "low is not below high", "Correct the bounds")
        if extra.better is None and extra.kind != "context":
            what = f"{extra.id} does not say which direction is better"
            raise text.problem(("measures", position), what, "Add better: lower or higher")
        _check_prediction(text, position, profile, contract)
    for position, condition in enumerate(profile.conditions):
        here = ("conditions", position)
        _check_measures(text, (*here, "pain_measure"), (condition.pain_measure,), contract)
        _check_measures(text, (*here, "rom_measures"), condition.rom_measures, contract)
    for position, rule in enumerate(profile.responder_rules):
        _check_measures(text, ("responder_rules", position, "measure"), (rule.measure,), contract)
    _check_trial(text, profile.trial.covariates if profile.trial else (), contract)


def _check_trial(text: ProfileText, covariates: Sequence[str], contract: Contract) -> None:
    known = (*TRIAL_COVARIATES, *(measure.measure_id for measure in contract.measures))
    for position, covariate in enumerate(covariates):
        here = ("trial", "covariates", position)
        if covariate not in known:
            raise text.unknown(here, "covariate", covariate, known)
        if covariate in covariates[:position]:
            raise text.problem(here, f"the covariate {covariate!r} is listed twice", "Keep one of them")


def _check_prediction(text: ProfileText, position: int, profile: Profile, contract: Contract) -> None:
    extra = profile.measures[position]
    if extra.predicts is None:
        if extra.gain_of_all:
            what = f"{extra.id} has a gain_of_all but predicts nothing"
            raise text.problem(("measures", position, "gain_of_all"), what, "Add predicts, or leave it out")
        return
    here = ("measures", position, "predicts")
    _check_measures(text, here, (extra.predicts,), contract)
    if contract.measure(extra.predicts).predicts is not None:
        what = f"{extra.predicts} is a prediction itself"
        raise text.problem(here, what, "Name the measure whose later score is predicted")
    if extra.predicts in [other.predicts for other in profile.measures[:position]]:
        raise text.problem(here, f"two measures predict {extra.predicts}", "Keep one prediction of each measure")


def _check_measures(text: ProfileText, at: Location, names: Iterable[str], contract: Contract) -> None:
    measures = {measure.measure_id for measure in contract.measures}
    for name in names:
        if name not in measures:
            raise text.unknown(at, "measure", name, measures)


def _check_clinics(text: ProfileText, clinics: Sequence[str]) -> None:
    for position, clinic in enumerate(clinics):
        here = ("clinics", position)
        if not re.fullmatch(KEY_PATTERN, clinic):
            remedy = "Use letters, digits and any of _ . : -, at most 64, and begin with a letter or digit"
            raise text.problem(here, "a clinic has a name that cannot be a key", remedy)
        if clinic in clinics[:position]:
            raise text.problem(here, f"the clinic {clinic!r} is listed twice", "Keep one of them")


def _check_references(text: ProfileText, profile: Profile) -> dict[str, tuple[str, ...]]:
    """The columns of each reference list."""
    headers: dict[str, tuple[str, ...]] = {}
    for position, reference in enumerate(profile.references):
        here = ("references", position)
        if reference.name in headers:
            raise text.problem((*here, "name"), f"two lists are called {reference.name!r}", "Give it another name")
        try:
            with (text.folder / reference.file).open(encoding="utf-8-sig", newline="") as file:
                headers[reference.name] = tuple(next(csv.reader(file), ()))
        except (OSError, ValueError, csv.Error):
            what = f"the list {reference.name!r} cannot be read"
            raise text.problem((*here, "file"), what, "Put it beside the profile, as CSV in UTF-8") from None
    return headers


def _check_format(text: ProfileText, at: Location, file: FileSource) -> None:
    for key, needed in FORMAT_KEYS.items():
        if file.format != needed and getattr(file, key) != FileSource.model_fields[key].get_default(
            call_default_factory=True, validated_data={}
        ):
            what = f"{key} means nothing where the format is {file.format}"
            raise text.problem((*at, key), what, f"Leave it out, or declare format: {needed}")
    if file.format == "fhir":
        if file.resource is None or not file.columns:
            what = f"{file.match} does not say what is taken from FHIR"
            raise text.problem((*at, "format"), what, "Add resource and columns")
        _check_paths(text, (*at, "columns"), file)


def _check_paths(text: ProfileText, at: Location, file: FileSource) -> None:
    from assets.deliveries.formats.fhir import check_paths  # noqa: PLC0415 most profiles have no paths

    for column in file.columns:
        _check_column(text, (*at, column), column)
    try:
        wrong = check_paths(file.columns)
    except RecursionError:
        raise text.problem(at, "a JMESPath expression is nested too deeply", "Take the value in one step") from None
    if wrong:
        column, character = wrong
        what = f"the path of {said(column)} is no JMESPath expression from character {character} on"
        raise text.problem((*at, column), what, "See jmespath.org")


def _check_joins(
    text: ProfileText, at: Location, file: FileSource, profile: Profile, headers: dict[str, tuple[str, ...]]
) -> None:
    others = {other.match: other for other in profile.files}
    brought: set[str] = set()
    used: set[str] = set()
    for position, join in enumerate(file.joins):
        here = (*at, "joins", position)
        if join.file is not None and join.file not in others:
            raise text.unknown((*here, "file"), "file", join.file, others)
        if join.reference is not None and join.reference not in headers:
            raise text.unknown((*here, "reference"), "reference", join.reference, headers)
        there = headers[join.reference] if join.reference else tuple(others[str(join.file)].columns)
        selected = tuple(selection.column for selection in join.only)
        for key, columns in (("key", join.key), ("take", tuple(join.take)), ("only", selected)):
            for column in columns:
                if there and column not in there:
                    raise text.unknown(
                        (*here, key, column), f"in {join.reference or join.file} the column", column, there
                    )
        used.update(set(join.on) - brought)
        _check_taken(text, here, join, brought, {*file.columns, *file.ignored, *used})
        brought.update(join.take.values())


def _check_taken(
    text: ProfileText, at: Location, join: Join, brought: AbstractSet[str], here_already: AbstractSet[str]
) -> None:
    names = list(join.take.values())
    for position, name in enumerate(names):
        what = None
        if name in RESERVED_COLUMNS:
            what = f"the column name {name!r} is taken by the reader"
        elif name in brought or name in names[:position]:
            what = f"two joins bring a column {name!r}"
        elif name in here_already:
            what = f"the file has a column {name!r} of its own"
        if what:
            raise text.problem((*at, "take", list(join.take)[position]), what, "Give the joined column another name")


def _check_feeds(text: ProfileText, at: Location, file: FileSource, profile: Profile, contract: Contract) -> None:
    for position, source in enumerate(file.tables):
        check_table(text, (*at, "tables", position), source, contract, profile.privacy_mode)
    for position, column in enumerate(file.ignored):
        _check_column(text, (*at, "ignored", position), column)
    for position, selection in enumerate(file.only):
        _check_column(text, (*at, "only", position, "column"), selection.column)
    _check_keyed(text, (*at, "scores"), file, "visit", file.scores)
    check_scores(text, (*at, "scores"), file.scores, contract)
    _check_keyed(text, (*at, "visits"), file, "episode", file.visits)
    check_visits(text, (*at, "visits"), file.visits, contract)
    if file.format == "fhir":
        _check_used_columns(text, at, file)


def _check_column(text: ProfileText, at: Location, column: str) -> None:
    if column in RESERVED_COLUMNS:
        raise text.problem(at, f"the column name {column!r} is taken by the reader", "Rename the column in the export")


def _check_keyed(text: ProfileText, at: Location, file: FileSource, table: str, children: Sequence[object]) -> None:
    """Scores and visits need to know which visit and episode the row speaks of."""
    keyed = any(source.table == table and not isinstance(source.fields, str) for source in file.tables)
    if children and not keyed:
        what = f"the {at[-1]} of {file.match} belong to no {table}"
        raise text.problem(at, what, f"Add a table {table} and name its fields")


def _check_used_columns(text: ProfileText, at: Location, file: FileSource) -> None:
    """From FHIR there are exactly the columns that are declared."""
    known = {*file.columns, *(name for join in file.joins for name in join.take.values())}
    for where, columns in _used_columns(file):
        for column in columns:
            if column not in known:
                raise text.unknown((*at, *where), "column", column, known)


def _used_columns(file: FileSource) -> Iterator[tuple[Location, tuple[str, ...]]]:
    for position, join in enumerate(file.joins):
        yield ("joins", position, "on"), join.on
    for position, selection in enumerate(file.only):
        yield ("only", position, "column"), (selection.column,)
    for position, source in enumerate(file.tables):
        for where, columns in _table_columns(source):
            yield ("tables", position, *where), columns
    for position, score in enumerate(file.scores):
        yield ("scores", position), _score_columns(score)
    for position, visit in enumerate(file.visits):
        for number, score in enumerate(visit.scores):
            yield ("visits", position, "scores", number), _score_columns(score)


def _table_columns(source: TableSource) -> Iterator[tuple[Location, tuple[str, ...]]]:
    if not isinstance(source.fields, str):
        for name, field in source.fields.items():
            yield ("fields", name), field.used_columns
    if source.skip_when_blank:
        yield ("skip_when_blank",), (source.skip_when_blank,)
    if source.withdrawn:
        yield ("withdrawn",), (source.withdrawn.column,)
    for number, flip in enumerate(source.flip_sign):
        if flip.where:
            yield ("flip_sign", number), (flip.where.column,)


def _score_columns(score: Score) -> tuple[str, ...]:
    sources = (score.side, score.method, score.active_passive, *((score.rater_key,) if score.rater_key else ()))
    flip = () if score.flip_sign is None or isinstance(score.flip_sign, str) else (score.flip_sign.column,)
    blank = (score.missing_when_blank,) if score.missing_when_blank else ()
    return (score.column, *blank, *flip, *(column for source in sources for column in source.used_columns))
