"""The profile language as JSON Schema: editors complete its keys, explain them and mark what does not fit.

Measures, conditions and units of the contract are offered, not enforced: a profile may add its own.
``load_profile`` has the last word; the schema never refuses what it accepts.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from assets.contract.checks import allowed_codes
from assets.contract.definitions import TRIAL_COVARIATES
from assets.contract.model import ColumnType
from assets.deliveries.profile.fields import Score
from assets.deliveries.profile.loading import Profile
from assets.deliveries.profile.words import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assets.contract.model import Column, Contract, Table

Schema = dict[str, object]
SHORT_FORM = ("side", "method", "active_passive", "rater_key")
"""Keys of a score whose value may be a bare column name."""


def profile_schema(contract: Contract) -> str:
    """The schema as the text of its file."""
    schema = Profile.model_json_schema()
    parts: dict[str, Schema] = {**schema["$defs"], Profile.__name__: schema}
    for model, part in PARTS.items():
        found = parts[model.__name__]
        found["description"] = f"{part.title}. {part.where}"
        for key, word in part.words.items():
            entry = _properties(found)[key]
            entry.pop("title", None)
            entry["description"] = f"{word.meaning}. Example: {word.example}"
    _offer(parts, contract)
    _accept_short_forms(parts, contract)
    schema.update({"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Needlepoint profile"})
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _properties(part: Schema) -> dict[str, Schema]:
    return cast("dict[str, Schema]", part["properties"])


def _offer(parts: dict[str, Schema], contract: Contract) -> None:
    """Names that the contract knows, for completion."""
    measures = [measure.measure_id for measure in contract.measures]
    offered: dict[tuple[str, str], Iterable[str]] = {
        ("Score", "measure"): measures,
        ("AcceptedDrift", "measure"): measures,
        ("ExtraResponderRule", "measure"): measures,
        ("ExtraCondition", "pain_measure"): measures,
        ("UnitSource", "unit"): sorted({measure.unit for measure in contract.measures}),
    }
    for (part, key), names in offered.items():
        entry = _properties(parts[part])[key]
        entry.pop("type")
        entry["anyOf"] = _any_of(names)
    lists: dict[tuple[str, str], Schema] = {
        ("ExtraCondition", "rom_measures"): {"anyOf": _any_of(measures)},
        ("SignFlip", "measures"): {"anyOf": _any_of(measures)},
        ("TrialAnalysis", "covariates"): {"anyOf": _any_of((*TRIAL_COVARIATES, *measures))},
        ("TableSource", "convert"): {"enum": [m.measure_id for m in contract.measures if m.converted_from]},
    }
    for (part, key), items in lists.items():
        _properties(parts[part])[key]["items"] = items
    _properties(parts["TableSource"])["table"]["enum"] = [table.name for table in contract.tables]
    _properties(parts["PlannedVisit"])["visit_type"]["enum"] = list(
        contract.table("visit").column("visit_type").allowed
    )


def _any_of(names: Iterable[str]) -> list[Schema]:
    return [{"enum": list(names)}, {"type": "string"}]


def _accept_short_forms(parts: dict[str, Schema], contract: Contract) -> None:
    """What the models accept before validation: a bare column name, a date that is no text yet."""
    source: list[Schema] = [{"type": "string"}, {"$ref": "#/$defs/FieldSource"}]
    for key in SHORT_FORM:
        entry = _properties(parts["Score"])[key]
        for wrapped in ("$ref", "allOf"):
            entry.pop(wrapped, None)
        default = Score.model_fields[key].default
        entry["anyOf"] = source if default else [*source, {"type": "null"}]
        entry["default"] = default and default.model_dump(exclude_defaults=True)
    fields = _properties(parts["TableSource"])["fields"]
    fields["anyOf"] = [{"const": "same_names"}, {"type": "object", "additionalProperties": {"anyOf": source}}]
    parts["TableSource"]["allOf"] = [_fields_of(table, contract) for table in contract.tables]
    stamp = _properties(parts[Profile.__name__])["extract_stamp"]
    stamp["anyOf"] = [{"type": "string"}, {"type": "null"}]


def _fields_of(table: Table, contract: Contract) -> Schema:
    """The fields that a table has, each with its meaning."""
    fields = {column.name: {"description": _meaning(column, table, contract)} for column in table.columns}
    known: Schema = {"type": "object", "properties": fields, "propertyNames": {"enum": list(fields)}}
    return {
        "if": {"properties": {"table": {"const": table.name}}},
        "then": {"properties": {"fields": {"anyOf": [{"const": "same_names"}, known]}}},
    }


def _meaning(column: Column, table: Table, contract: Contract) -> str:
    said = [column.meaning]
    codes = allowed_codes(contract, table, column)
    if codes:
        said.append(f"One of {', '.join(codes)}")
    elif column.unit:
        said.append(f"In {column.unit}")
    elif column.type is ColumnType.KEY:
        said.append("A surrogate key")
    if column.required:
        instead = f", unless there is {column.required_unless}" if column.required_unless else ""
        said.append(f"Required{instead}")
    return ". ".join(said)
