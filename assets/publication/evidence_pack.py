"""The evidence pack of a release: what an auditor can read, print and recompute without any program of ours.

Pure: the same facts give the same bytes. A pack holds

* ``index.html``: everything below in one page, to print and sign;
* ``checks.json`` and the JSON Schema it obeys, ``checks.schema.json``;
* ``gx/``: what Great Expectations said, without a value of a row, of the release and of its newest deliveries;
* ``manifest.json``: inputs and published files with their SHA-256, versions, thresholds, disclosure control;
* ``SHA256SUMS``: of the files of the pack, for ``sha256sum -c``.

What rows violate a check is not in it: see ``failing_keys`` in ``evidence.py``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assets.contract.check_kinds import Category, Dimension, Stage
from assets.publication.evidence_page import page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assets.contract.checks import Check
    from assets.deliveries.ledger import Delivery

Row = dict[str, Any]
CHECKS, SCHEMA, MANIFEST, INDEX, SUMS = (
    "checks.json",
    "checks.schema.json",
    "manifest.json",
    "index.html",
    "SHA256SUMS",
)
VALIDATIONS = "gx"
FORMAT = "needlepoint-checks/2"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a pack says.

    ``checks`` are rows of the published table check_summary and of the checks of written files, ``results`` of the
    newest results by delivery (check_id, delivery_id, status, sql_hash), ``conservation`` and ``waivers`` rows of the
    published tables of these names. ``hidden`` counts by kind what disclosure control keeps back, ``files`` are the
    published files with their SHA-256. ``thresholds`` say of each check how much it may find, why, and who answers for
    it; ``drift`` are rows of the comparison of each delivery with the past of its clinic. ``validations`` are
    documents by their name in ``gx/``, ``catalogue`` the checks by their ids.
    """

    release: str
    stamp: str
    code_version: str
    contract_version: str
    definition: str
    packages: Mapping[str, str]
    deliveries: Sequence[Delivery]
    checks: Sequence[Row]
    results: Sequence[Row]
    conservation: Sequence[Row]
    waivers: Sequence[Row]
    profile: str
    minimum_group: int
    hidden: Mapping[str, int]
    files: Mapping[str, str]
    thresholds: Sequence[Row] = ()
    drift: Sequence[Row] = ()
    validations: Mapping[str, bytes] = field(default_factory=dict)
    catalogue: Mapping[str, Check] = field(default_factory=dict)


def pack_files(facts: Facts) -> dict[str, bytes]:
    """Return the files of the pack by name."""
    checks = checks_document(facts)
    files = {
        CHECKS: _json(checks),
        SCHEMA: _json(CHECKS_SCHEMA),
        MANIFEST: _json(_manifest(facts)),
        INDEX: page(facts, checks["checks"]).encode(),
        **{f"{VALIDATIONS}/{name}.json": content for name, content in facts.validations.items()},
    }
    return {**files, SUMS: sums(files)}


def sums(files: Mapping[str, bytes]) -> bytes:
    """Return the content of ``SHA256SUMS`` for files by name."""
    return "".join(f"{sha256(content)}  {name}\n" for name, content in sorted(files.items()) if name != SUMS).encode()


def checks_document(facts: Facts) -> dict[str, Any]:
    """Return the content of ``checks.json``."""
    results: dict[str, list[Row]] = {}
    for row in facts.results:
        results.setdefault(row["check_id"], []).append(row)
    return {
        "format": FORMAT,
        "release": facts.release,
        "code_version": facts.code_version,
        "contract_version": facts.contract_version,
        "great_expectations": facts.packages.get("great-expectations", ""),
        "checks": [
            _check(row, results.get(row["check_id"], []), facts.catalogue.get(row["check_id"])) for row in facts.checks
        ],
    }


def _check(row: Row, results: Sequence[Row], about: Check | None) -> dict[str, Any]:
    ordered = sorted(results, key=lambda result: result["delivery_id"] or "")
    return {
        "check_id": row["check_id"],
        "title": row["title"],
        "rule": row["sentence"],
        "table": row["table_name"],
        "kind": row["kind"],
        "category": about and about.category.value,
        "dimension": about and about.dimension.value,
        "owner": about and about.facts.owner,
        "since": about and about.facts.since,
        "changed": (about and about.facts.changed) or None,
        "stage": row["stage"],
        "severity": row["severity"],
        "threshold": row["tolerance"],
        "status": row["status"],
        "evaluated": row["evaluated"],
        "violated": row["violated"],
        "observed": round(row["violated"] / row["evaluated"], 6) if row["evaluated"] else None,
        "sql_hashes": sorted({result["sql_hash"] for result in ordered if result["sql_hash"]}),
        "results": [{"delivery_id": result["delivery_id"], "status": result["status"]} for result in ordered],
    }


def _manifest(facts: Facts) -> dict[str, Any]:
    return {
        "release": facts.release,
        "extract_stamp": facts.stamp,
        "code_version": facts.code_version,
        "contract_version": facts.contract_version,
        "recovery_definition": facts.definition,
        "packages": dict(facts.packages),
        "deliveries": [
            {
                "delivery_id": one.delivery_id,
                "label": one.label,
                "extract_stamp": one.extract_stamp,
                "state": one.state.value,
                "profile": one.profile,
                "profile_version": one.profile_version,
                "privacy_mode": one.privacy_mode,
                "files": [
                    {"name": file.name, "sha256": file.sha256, "records": _records(file.records, facts.minimum_group)}
                    for file in one.files
                ],
            }
            for one in facts.deliveries
        ],
        "conservation": list(facts.conservation),
        "waivers": list(facts.waivers),
        "thresholds": list(facts.thresholds),
        "disclosure": {
            "profile": facts.profile,
            "minimum_group": facts.minimum_group,
            "hidden": dict(sorted(facts.hidden.items())),
        },
        "files": dict(sorted(facts.files.items())),
    }


def _records(records: int | None, minimum_group: int) -> int | None:
    """Records of a file; none where they may be so few patients. Bytes would tell them, and are no part of it."""
    return None if records is None or 0 < records < minimum_group else records


def sha256(content: bytes) -> str:
    """Return the digest as ``sha256sum`` writes it."""
    return hashlib.sha256(content).hexdigest()


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


_TEXT = {"type": "string"}
_TEXT_OR_NONE = {"type": ["string", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_STATUS = {"enum": ["pass", "pass_with_violations", "warn", "fail", "error", "not_applicable"]}


def _object(**properties: object) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


CHECKS_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Checks of a release of Needlepoint",
    **_object(
        format={"const": FORMAT},
        release=_TEXT,
        code_version=_TEXT,
        contract_version=_TEXT,
        great_expectations=_TEXT,
        checks={
            "type": "array",
            "items": _object(
                check_id={"type": "string", "minLength": 1},
                title=_TEXT,
                rule=_TEXT,
                table=_TEXT,
                kind=_TEXT,
                category={"enum": [*Category, None]},
                dimension={"enum": [*Dimension, None]},
                owner=_TEXT_OR_NONE,
                since=_TEXT_OR_NONE,
                changed=_TEXT_OR_NONE,
                stage={"enum": list(Stage)},
                severity={"enum": ["critical", "warning"]},
                threshold={"type": "number", "minimum": 0, "maximum": 1},
                status=_STATUS,
                evaluated=_COUNT,
                violated=_COUNT,
                observed={"type": ["number", "null"], "minimum": 0, "maximum": 1},
                sql_hashes={"type": "array", "items": {"type": "string", "pattern": "^[0-9a-f]{16}$"}},
                results={
                    "type": "array",
                    "items": _object(delivery_id={"type": ["string", "null"]}, status=_STATUS),
                },
            ),
        },
    ),
}
"""A new field is a new format: who reads ``needlepoint-checks/2`` finds exactly these."""
