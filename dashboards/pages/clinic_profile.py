"""The head of the page of clinics: the first sentence, notices, key numbers, and a table of the conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.definitions import COMPLETENESS_TARGET_PERCENT
from dashboards import clinic_words as say
from dashboards import sentences
from dashboards.pages.clinic_compared import observed_cells
from dashboards.pages.clinic_frames import RECOVERED
from dashboards.pages.clinic_selection import HIDDEN, Selection, drill
from dashboards.pages.parts import Card, Column, Table
from dashboards.words import ANY_CARE, count, interval, percent, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.pages.parts import Cell, State
    from dashboards.published import Row

TILES = (
    (
        "recovered",
        "Recovered",
        "Share of the closed episodes with a known outcome that ended in recovery, by the definition in force.",
        "clinic_funnel",
    ),
    (
        "against",
        "Against the network",
        "Above and below: outside the 99.8% limits for a clinic of that size; possibly: outside the 95% limits.",
        "clinic_funnel",
    ),
    (
        "change",
        "Change over time",
        "What the latest points of the control chart say. Everything but a signal is ordinary variation.",
        "outcome_signal",
    ),
    (
        "pain",
        "Change in pain",
        "Mean fall from the first to the last score. Patients come when it is worst: no effect of a treatment.",
        "pain_change",
    ),
    (
        "outcomes",
        "Outcome known",
        "Share of the closed episodes for which recovery could be decided.",
        "completion_sensitivity",
    ),
)
"""Id, label, definition and passport of each key number."""
CONDITIONS = Card(
    "conditions",
    "How does the clinic do by condition?",
    12,
    "Each condition against all clinics for the same condition; after adjustment, against what would be expected of "
    "these patients. Differences between conditions are differences between diseases.",
    Table(
        "conditions",
        "The clinic by condition, beside all clinics",
        (
            Column("Condition", "drill:condition"),
            Column("Known outcomes", "int"),
            Column("Recovered", "pct"),
            Column("95% CI low", "pct"),
            Column("95% CI high", "pct"),
            Column("All clinics", "pct"),
            Column("Against the network"),
            Column("Outcome known", "pct"),
            Column("Adjusted: observed", "pct"),
            Column("Adjusted: expected", "pct"),
            Column("Observed less expected, points", "dec1"),
            Column("After adjustment"),
        ),
        written=2,
    ),
    passport="clinic_funnel",
)
VERDICTS = {
    "better": "\N{BLACK UP-POINTING TRIANGLE} Improving",
    "concern": "\N{BLACK DOWN-POINTING TRIANGLE} Concern",
    "stable": "\N{BLACK CIRCLE} Stable",
}


def fill(selection: Selection, made: State) -> None:
    """Add what is said first of a clinic and a condition."""
    frames, meta = selection.frames, selection.meta
    row = frames.funnel.get(selection.place)
    adjusted = frames.adjusted.get((*selection.place, RECOVERED))
    strong, rest = say.clinic_lead(selection.label, selection.condition_words, row, adjusted, meta)
    known = frames.sensitivity.get(selection.place)
    made.text |= {
        "lead.strong": strong,
        "lead.rest": rest,
        "notice.definition": say.definition_notice(selection.label, selection.conclusions, frames.published.contract),
        "notice.missing": sentences.missing_notice(known),
    }
    _tiles(selection, row, known, made)
    made.steps["clinic_funnel"] = _steps(selection, row)


def _tiles(selection: Selection, row: Row | None, known: Row | None, made: State) -> None:
    reason = say.not_compared(row, selection.meta)
    if known is not None and known["rate"] is not None:
        span = f"95% CI {interval(known['rate_low'], known['rate_high'])}, about {count(known['n'])} episodes"
        _tile(made, "recovered", percent(known["rate"]), f"{span}{_network(row)}")
    else:
        _tile(made, "recovered", "", reason)
    if row is not None and row["zone"] is not None:
        limits = f"95% limits for its size {interval(row['low_95'], row['high_95'])}"
        _tile(made, "against", say.zone_words(row["zone"]), limits)
    else:
        _tile(made, "against", "", reason)
    signal = selection.frames.signals.get(selection.place, {}).get(RECOVERED)
    verdict = VERDICTS.get(signal["verdict"], "") if signal else ""
    _tile(made, "change", verdict, "recovery by month of the first visit" if verdict else "not judged")
    fall = selection.frames.published.pain.get((*selection.place, ANY_CARE))
    number, text = sentences.pain(fall)
    no_fall = selection.meta.too_few if fall is not None and fall["suppressed"] else "no two comparable scores"
    _tile(made, "pain", number, text if number else no_fall)
    if known is None or known["completeness"] is None:
        _tile(made, "outcomes", "", reason)
        return
    is_below = (whole(known["completeness"]) or 0) < COMPLETENESS_TARGET_PERCENT
    target = f"target {COMPLETENESS_TARGET_PERCENT}%"
    _tile(made, "outcomes", percent(known["completeness"]), f"▼ Below target, {target}" if is_below else target)
    made.alert += ["outcomes"] if is_below else []


def _network(row: Row | None) -> str:
    return f", all clinics {percent(row['network'])}" if row is not None and row["network"] is not None else ""


def _tile(made: State, tile: str, number: str, sub: str) -> None:
    """Set a tile; of a badge, the symbol is the number and its word the unit."""
    symbol, _, word = number.partition(" ")
    made.text |= {f"{tile}.number": symbol or "Not shown", f"{tile}.unit": word, f"{tile}.sub": sub}


def _steps(selection: Selection, row: Row | None) -> list[list[str]]:
    """What was left at each step of exclusion on the way to the place in the funnel."""
    if row is None:
        return []
    counts: Sequence[tuple[str, str]] = (
        ("Closed episodes that count", "eligible"),
        ("of these with a known outcome", "n"),
    )
    return [
        [what, selection.meta.hidden if row[name] is None else f"about {count(row[name])}"] for what, name in counts
    ]


def fill_rows(selection: Selection, made: State) -> None:
    """Add the conditions of a clinic."""
    made.rows["conditions"] = [
        [drill(key, label), *_cells(Selection(selection.frames, selection.meta, selection.clinic, key))]
        for key, label in selection.conditions
    ]
    rows = [(label, selection.frames.funnel.get((key, selection.clinic))) for key, label in selection.conditions[1:]]
    found = [f"{label} ({say.ZONES[row['zone']].lower()})" for label, row in rows if row and row["zone"] in say.OUTSIDE]
    compared = sum(row is not None and row["zone"] is not None for _, row in rows)
    if not compared:
        made.text["conditions.say"] = f"{selection.label} can be compared for no condition."
    elif found:
        made.text["conditions.say"] = f"Outside the 99.8% limits: {say.names(found)}."
    else:
        made.text["conditions.say"] = (
            f"{selection.label} is outside the 99.8% limits for none of {compared} conditions."
        )


def _cells(selection: Selection) -> list[Cell]:
    frames, meta = selection.frames, selection.meta
    row, known = frames.funnel.get(selection.place), frames.sensitivity.get(selection.place)
    reason = say.not_compared(row, meta)
    if row is None:
        return [0, *[None] * 4, reason, *[None] * 5]
    if row["suppressed"]:
        return [meta.hidden, *[HIDDEN] * 4, reason, *[HIDDEN] * 5]
    ends = [None, None] if known is None else [whole(known["rate_low"]), whole(known["rate_high"])]
    return [
        row["n"],
        whole(row["value"]),
        *ends,
        whole(row["network"]),
        f"Not compared: {reason}" if reason else say.zone_words(row["zone"]),
        whole(row["completeness"]),
        *observed_cells(selection, frames.adjusted.get((*selection.place, RECOVERED))),
    ]
