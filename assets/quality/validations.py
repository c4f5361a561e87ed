"""What Great Expectations said of each check, kept as evidence: its own results in JSON, without a value of a row.

What may stay is listed, so that a new version of Great Expectations adds nothing: the expectation with the arguments
that the contract gave it, its verdict, and counts. Left out are values and keys of rows, names of columns that were
found, texts of errors, and whatever differs between two runs on the same rows.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from assets.home import PRIVATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from great_expectations.core import ExpectationValidationResult

    from assets.quality.results import CheckResult

FOLDER = "gx"
FORMAT = "needlepoint-gx/1"
ARGUMENTS = (
    *("column", "column_set", "exact_match", "max_value", "min_value"),
    *("mostly", "regex", "type_", "value_set"),
)
"""Arguments that come from the contract."""
COUNTS = ("element_count", "missing_count", "unexpected_count")


def validation_json(validated: ExpectationValidationResult) -> str:
    """Return one result as JSON: equal for equal rows and equal expectations."""
    said = validated.expectation_config
    if said is None:
        return ""
    info = validated.exception_info or {}
    return _json(
        {
            "expectation_config": {
                "type": said.type,
                "kwargs": {name: said.kwargs[name] for name in ARGUMENTS if said.kwargs.get(name) is not None},
                "severity": str(getattr(said.severity, "value", said.severity)),
                "meta": {"check_id": said.meta["check_id"]},
            },
            "success": bool(validated.success),
            "result": {name: int(validated.result[name]) for name in COUNTS if name in validated.result},
            "raised_exception": _raised(info),
        }
    )


def save_validations(folder: Path, results: Iterable[CheckResult]) -> None:
    """Write what was said into ``gx/<stage>.json`` of a folder; what was said before at the same stage goes."""
    said: dict[str, dict[str, Any]] = {}
    for result in results:
        if result.validation:
            said.setdefault(result.stage.value, {})[result.check_id] = json.loads(result.validation)
    (folder / FOLDER).mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    for stage, found in said.items():
        document = {
            "format": FORMAT,
            "great_expectations": version("great_expectations"),
            "results": [found[check_id] for check_id in sorted(found)],
        }
        path = folder / FOLDER / f"{stage}.json"
        incoming = path.with_suffix(".tmp")
        incoming.write_text(_json(document), encoding="utf-8")
        incoming.replace(path)


def read_validations(folder: Path, minimum_group: int) -> dict[str, bytes]:
    """Return what may be shown of the documents of a folder, by stage; none beside a delivery that was refused.

    Counts of fewer rows than ``minimum_group`` are left out: a delivery of a few patients would say how few.
    """
    return {path.stem: _shown(path, minimum_group) for path in sorted((folder / FOLDER).glob("*.json"))}


def _shown(path: Path, minimum_group: int) -> bytes:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    document["results"] = [{**one, "result": _large(one["result"], minimum_group)} for one in document["results"]]
    return f"{_json(document)}\n".encode()


def _large(counts: Mapping[str, int], minimum_group: int) -> dict[str, int]:
    is_small = 0 < counts.get("element_count", 0) < minimum_group
    return {} if is_small else dict(counts)


def _raised(info: Mapping[str, Any]) -> bool:
    """Whether an ``exception_info``, which holds one error or one per metric, holds any."""
    return any(entry.get("raised_exception") for entry in (info, *info.values()) if isinstance(entry, dict))


def _json(content: object) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
