"""Card of the page of clinics about what was recorded, and what the rest could change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.definitions import COMPLETENESS_TARGET_PERCENT
from dashboards import clinic_words as say
from dashboards import sentences
from dashboards.figures import recovery_dot
from dashboards.pages.clinic_selection import HIDDEN, Selection, drill
from dashboards.pages.parts import Card, Column, Key, Table
from dashboards.words import count, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboards.pages.parts import Cell, State
    from dashboards.published import Row

STAGES = {
    "baseline": "Pain at the first visit",
    "discharge": "Comparable pain at discharge",
    "motion": "Motion that can be judged",
    "follow_up": "A later follow-up",
}
KNOWN = Card(
    "known",
    "How complete are the outcomes?",
    7,
    "Share of closed episodes with each of the scores that outcomes rest on. Whatever is assumed of the missing, the "
    "rate lies between the two bounds. The weighted rate lets the known stand for all like them; it holds if "
    "nothing else decides who is known. No last score is carried forward. The target of "
    f"{COMPLETENESS_TARGET_PERCENT}% is a proposal of the field, not a published standard.",
    Table(
        "known",
        "What was recorded, and what the rest could change",
        (
            Column("Condition", "drill:condition"),
            Column("Closed episodes", "int"),
            *(Column(label, "pct") for label in STAGES.values()),
            Column("Rate", "pct"),
            Column("Rate if no other recovered", "pct"),
            Column("Rate if all others recovered", "pct"),
            Column("Weighted rate", "pct"),
            Column("95% CI low", "pct"),
            Column("95% CI high", "pct"),
            Column("What would change its place"),
        ),
        written=0,
    ),
    keys=(
        Key("dot", "recorded, with 95% interval"),
        Key("network", "all clinics"),
        Key("dotted", f"target {COMPLETENESS_TARGET_PERCENT}%"),
    ),
    passport="completion",
)


def fill(selection: Selection, made: State) -> None:
    """Add what the card draws and says for a clinic and a condition."""
    frames, meta = selection.frames, selection.meta
    rows = [(label, frames.completion.get((*selection.place, stage))) for stage, label in STAGES.items()]
    dots: list[recovery_dot.RateRow] = []
    for stage, label in STAGES.items():
        row = frames.completion.get((*selection.place, stage)) or {}
        network = frames.completion.get((selection.condition, None, stage))
        hidden = meta.too_few if _is_hidden(row) else "no closed episodes"
        dots.append(
            {
                "label": label,
                "note": f"n {count(row['n'])}" if row.get("rate") is not None else "",
                "rate": row.get("rate"),
                "rate_low": row.get("rate_low"),
                "rate_high": row.get("rate_high"),
                "n": row.get("n"),
                "network": network["rate"] if network else None,
                "words": "" if row.get("rate") is not None else hidden,
            }
        )
    made.plots["known"] = recovery_dot.spec(dots, "Closed episodes", COMPLETENESS_TARGET_PERCENT / 100)
    sensitivity = frames.sensitivity.get(selection.place)
    parts = [say.completeness_sentence(rows, COMPLETENESS_TARGET_PERCENT)]
    if sensitivity is not None and sensitivity["rate"] is not None:
        # Below the target the bounds stand above all cards.
        parts.append("" if sentences.missing_notice(sensitivity) else sentences.missing_bounds(sensitivity))
        parts.append(say.weighted_sentence(sensitivity))
    if sensitivity is not None and not sensitivity["suppressed"]:
        parts.append(f"{say.tipping_words(sensitivity)}.")
    made.text["known.say"] = " ".join(part for part in parts if part)


def fill_rows(selection: Selection, made: State) -> None:
    """Add the rows of a clinic, by condition."""
    made.rows["known"] = [
        [drill(key, label), *_cells(Selection(selection.frames, selection.meta, selection.clinic, key))]
        for key, label in selection.conditions
    ]


def _is_hidden(row: Row | Mapping[str, None]) -> bool:
    """Whether a share is kept back: with its group, or alone for the sake of another group."""
    return bool(row.get("suppressed")) or (row.get("rate") is None and bool(row.get("n")))


def _cells(selection: Selection) -> list[Cell]:
    frames, meta = selection.frames, selection.meta
    stages = [frames.completion.get((*selection.place, stage)) for stage in STAGES]
    shares: list[Cell] = [
        None if row is None else (HIDDEN if _is_hidden(row) else whole(row["rate"])) for row in stages
    ]
    first = next((row for row in stages if row is not None), None)
    closed: Cell = 0 if first is None else (meta.hidden if first["suppressed"] else first["n"])
    row = frames.sensitivity.get(selection.place)
    if row is None:
        return [closed, *shares, *[None] * 6, None]
    if row["suppressed"]:
        return [closed, *shares, *[HIDDEN] * 6, meta.too_few]
    names = (
        *("rate", "rate_if_missing_none", "rate_if_missing_all"),
        *("weighted_rate", "weighted_low", "weighted_high"),
    )
    return [closed, *shares, *(whole(row[name]) for name in names), say.tipping_words(row)]
