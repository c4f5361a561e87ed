"""What is wrong with the form of a profile, in one sentence: the library's errors, said with line and nearest key."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Annotated, Union, get_args, get_origin

from pydantic import BaseModel

from assets.deliveries.profile.text import SAID, bare, said, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from assets.deliveries.problems import InputProblem
    from assets.deliveries.profile.text import ProfileText

TELLING = ("extra_forbidden", "literal_error", "enum")
"""An unknown key explains the missing one beside it; a word that is not on its list explains what it should be."""
FORMS = ("Selection",)
"""Models that stand beside another form of the same entry: their names occur in locations."""


def most_telling(text: ProfileText, error: ValidationError, model: type[BaseModel]) -> InputProblem:
    """One sentence for the first error of a profile that is no ``model``."""
    errors = [entry for entry in error.errors(include_url=False) if not _of_the_other_form(entry)]
    first = min(errors, key=lambda entry: TELLING.index(entry["type"]) if entry["type"] in TELLING else len(TELLING))
    location, given = first["loc"], first["input"]
    key = str(location[-1]) if location else ""
    names = [str(part) for part in location if not _is_tag(part)]
    named = next((name for name in reversed(names) if not name.isdigit()), "")
    match first["type"]:
        case "extra_forbidden":
            what, remedy = f"the key {said(key)} is not known", suggestion(key, keys_near(model, location))
        case "missing":
            what, remedy = f"the key {said(key)} is missing", "Add it"
        case "literal_error" | "enum":
            expected = str(first["ctx"]["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
            what, remedy = f"{bare(named)} cannot be {said(given)}", suggestion(str(given)[:SAID], expected)
        case "model_type" | "dict_type":
            known = ", ".join(sorted(keys_near(model, (*location, ""))))
            what = f"{said(named)} must be a mapping"
            remedy = f"Its keys are: {known}" if known else "Write it as key: value"
        case "tuple_type":
            what, remedy = f"{said(named)} must be a list", "Put it in square brackets"
        case "string_pattern_mismatch":
            what = f"{bare(named)} cannot be {said(given)}: it should match pattern {first['ctx']['pattern']}"
            remedy = "Write it in this form"
        case kind:
            what = f"{'.'.join(bare(name) for name in names)}: {first['msg']}"
            remedy = "Put it in quotes" if kind == "string_type" else "Compare with assets/deliveries/PROFILES.md"
    return text.problem(location, what, remedy)


def keys_near(model: type[BaseModel], location: Sequence[str | int]) -> set[str]:
    """The keys that are valid where the last part of ``location`` stands: the models are walked along the path."""
    states: list[object] = [model]
    for part in location[:-1]:
        if isinstance(part, str) and _is_tag(part):
            continue
        states = [inner for state in states for form in _forms(state) for inner in _step(form, part)]
    return {key for state in states for form in _forms(state) for key in _keys(form)}


def _of_the_other_form(entry: ErrorDetails) -> bool:
    """Whether the error is that a mapping is not one word such as same_names: a mapping was meant."""
    return entry["type"] == "literal_error" and isinstance(entry["input"], dict) and _is_tag(entry["loc"][-1])


def _is_tag(part: object) -> bool:
    """Whether part of a location names a form tried, and nothing in the profile."""
    return isinstance(part, str) and ("[" in part or part in FORMS)


def _forms(annotation: object) -> Iterator[object]:
    """The forms an entry can have, without the wrapping."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _forms(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for form in get_args(annotation):
            yield from _forms(form)
    else:
        yield annotation


def _step(form: object, part: str | int) -> Iterator[object]:
    """What stands under ``part`` of an entry of this form."""
    if isinstance(part, int):
        if get_origin(form) is tuple:
            yield get_args(form)[0]
    elif get_origin(form) is dict:
        yield get_args(form)[1]
    elif isinstance(form, type) and issubclass(form, BaseModel) and part in form.model_fields:
        yield form.model_fields[part].annotation


def _keys(form: object) -> Iterator[str]:
    if isinstance(form, type) and issubclass(form, BaseModel):
        yield from form.model_fields
