"""Published lists of what the literature says, for tables beside, never on the axis of, the change of patients here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.contract.evidence import CORRECTIONS, EVIDENCE, VERSION
from assets.outcomes.frames import BOOLEAN, FLOAT, INTEGER, STRING, Layout, columns
from assets.outcomes.topic import Topic

if TYPE_CHECKING:
    from assets.contract.model import Contract
    from assets.outcomes.topic import Frames

WORDS = ("kind", "condition_id", "intervention", "comparator", "outcome", "window", "effect_type", "unit")
NUMBERS = ("effect", "low", "high")
EVIDENCE_TABLE = Layout(
    columns(STRING, "evidence_id"),
    {
        **columns(INTEGER, "version"),
        **columns(STRING, *WORDS),
        **columns(FLOAT, *NUMBERS),
        **columns(STRING, "result"),
        **columns(INTEGER, "trials", "participants"),
        **columns(STRING, "certainty", "citation", "url", "note"),
        **columns(BOOLEAN, "verified"),
    },
    plain=("version", "trials", "participants"),
)
CORRECTION_TABLE = Layout(
    columns(STRING, "correction_id"),
    {
        **columns(INTEGER, "version"),
        **columns(STRING, "claim", "literature", "source"),
        **columns(BOOLEAN, "verified"),
    },
    plain=("version",),
)


def evidence() -> pl.DataFrame:
    """Published results with comparator, window, interval and certainty; no number from memory."""
    rows = [
        {
            **{
                name: getattr(item, name)
                for name in (*EVIDENCE_TABLE.keys, *EVIDENCE_TABLE.numbers)
                if name != "version"
            },
            "kind": str(item.kind),
            "version": VERSION,
            **({} if item.verified else dict.fromkeys(NUMBERS)),
        }
        for item in EVIDENCE
    ]
    return EVIDENCE_TABLE.arrange(pl.DataFrame(rows, schema={**EVIDENCE_TABLE.keys, **EVIDENCE_TABLE.numbers}))


def evidence_correction() -> pl.DataFrame:
    """Statements that are often made, and what the literature says instead."""
    rows = [
        (item.correction_id, VERSION, item.claim, item.literature, item.source, item.verified) for item in CORRECTIONS
    ]
    schema = {**CORRECTION_TABLE.keys, **CORRECTION_TABLE.numbers}
    return CORRECTION_TABLE.arrange(pl.DataFrame(rows, schema=schema, orient="row"))


def _build(_: Frames, __: Contract) -> dict[str, pl.DataFrame]:
    return {"evidence": evidence(), "evidence_correction": evidence_correction()}


TOPIC = Topic(
    reads=(),
    tables={
        "evidence": "What the literature says, with comparator, time window, interval and certainty",
        "evidence_correction": "Common statements, and what the literature says instead",
    },
    build=_build,
)
