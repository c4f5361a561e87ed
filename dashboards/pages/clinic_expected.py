"""Cards of the page of clinics about what would be expected of their patients, and how good that expectation is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.definitions import COMPARISON_MINIMUM_CLINICS
from dashboards import clinic_words as say
from dashboards.care_words import COVARIATES, label_of
from dashboards.figures import calibration, interval_dot
from dashboards.pages.clinic_compared import CLINIC_COLUMN, WRITTEN, mark_row, marked, too_many_rows
from dashboards.pages.clinic_frames import PAIN, RECOVERED
from dashboards.pages.clinic_selection import HIDDEN, MOST_ROWS, condition_label, drill, scaled
from dashboards.pages.parts import Card, Column, Key, Table
from dashboards.words import count, decimal, listing, percent, plural, rounded, whole

if TYPE_CHECKING:
    from dashboards.pages.clinic_selection import Selection
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Cell, State
    from dashboards.published import Row

__all__ = ["ADJUSTED", "MODEL", "fill", "mark_row"]

OUTCOMES = {
    RECOVERED: ("Recovered (%)", 100),
    "pain_points": ("Less pain by the points of the public measures (%)", 100),
    PAIN: ("Fall in pain (points of 0 to 10)", 1),
    "function_change": ("Gain in function (points of 0 to 100)", 1),
}
"""Outcomes of the case-mix models, and what their numbers are multiplied by."""
ADJUSTED = Card(
    "adjusted",
    "What would be expected of these patients?",
    6,
    "Expected is what a model predicts from what was known before treatment: pain, function, age, sex, duration and "
    "more, never anything that happened later. The line is the 95% interval of the difference, with the expected taken "
    "as known; zero is what patients like these have in the network. A difference that stays may be case mix nobody "
    f"wrote down. Limits are those of chance, widened where {COMPARISON_MINIMUM_CLINICS} clinics or more vary by more. "
    "The first episode of each patient of routine care counts.",
    Table(
        "adjusted",
        "Observed and expected outcome by clinic",
        (
            Column("Outcome"),
            CLINIC_COLUMN,
            Column("Patients", "int"),
            Column("Outcome known", "pct"),
            Column("Observed", "dec1"),
            Column("Expected", "dec1"),
            Column("Observed less expected", "dec1"),
            Column("95% CI low", "dec1"),
            Column("95% CI high", "dec1"),
            Column("After adjustment"),
        ),
        grouped=True,
        written=WRITTEN,
    ),
    keys=(Key("dot", "observed less expected, with 95% interval", when="adjusted"),),
    passport="clinic_adjusted",
)
MODEL = Card(
    "model",
    "How good is the expectation?",
    5,
    "Patients are grouped by the chance of recovery that the model gave them without having seen them. On the dotted "
    "line, as many recovered as were expected. AUC is the chance that a patient who recovered was given the higher "
    "chance; R² the share of the variation that is explained. Cross-validated figures count patients the model had not "
    "seen. A slope below 1: predictions are too extreme, and what is expected is pulled towards the mean by the factor "
    "'Shrinkage' (figures and chart are before it). 'Clinics' is the share of what is left that lies between clinics.",
    Table(
        "model",
        "Cards of the models",
        (
            Column("Condition"),
            Column("Outcome"),
            Column("Episodes", "int"),
            Column("Outcome known", "pct"),
            Column("Terms", "int"),
            Column("Figure"),
            Column("Apparent", "dec2"),
            Column("Cross-validated", "dec2"),
            Column("Calibration slope", "dec2"),
            Column("Shrinkage", "dec2"),
            Column("Clinics", "pct"),
            Column("State"),
        ),
        grouped=True,
        written=WRITTEN,
    ),
    keys=(Key("dot", "observed, with 95% interval", when="model"), Key("dotted", "as expected", when="model")),
    passport="case_mix_model",
)


def fill(selection: Selection, made: State) -> None:
    """Add what both cards show for a condition, whatever the clinic."""
    _adjusted(selection, made)
    _model(selection, made)
    made.hide += [card for card in ("adjusted", "model") if made.plots[card] is None]


def _adjusted(selection: Selection, made: State) -> None:
    frames = selection.frames
    dots: list[interval_dot.IntervalRow] = []
    cells: list[list[Cell]] = []
    for outcome, (title, scale) in OUTCOMES.items():
        rows = selection.of(frames.adjusted, outcome)
        if all(row is None for _, _, row in rows):
            continue
        cells += [[title, drill(key, label), *_adjusted_cells(selection, row, scale)] for key, label, row in rows]
        if outcome == RECOVERED:
            dots = [_difference_dot(selection, label, row) for _, label, row in rows]
    is_known = any(dot["value"] is not None for dot in dots)
    is_drawn = is_known and len(dots) <= MOST_ROWS
    axis = "Observed less expected, percentage points"
    made.plots["adjusted"] = marked(interval_dot.spec(dots, axis), None) if is_drawn else None
    made.rows["adjusted"] = cells
    if is_known:
        made.text["adjusted.none"] = "" if is_drawn else too_many_rows(len(dots))
    else:
        made.text["adjusted.none"] = _no_model(selection)
    made.text["adjusted.say"] = _adjusted_sentence(selection)


def _no_model(selection: Selection) -> str:
    cards = selection.frames.models.get(selection.condition, [])
    reason = next((row["reason"] for row in cards if row["outcome_id"] == RECOVERED), None)
    why = f" {say.model_reason(reason).capitalize()}." if reason else ""
    return f"No outcome is expected by a model for {selection.condition_words}.{why}"


def _adjusted_sentence(selection: Selection) -> str:
    rows = [(label, row) for _, label, row in selection.of(selection.frames.adjusted, RECOVERED)]
    if not any(row is not None and row["zone"] is not None for _, row in rows):
        return ""
    sentence = say.zones_sentence(rows)
    return f"After adjustment for what was known of patients before treatment, {sentence}"


def _difference_dot(selection: Selection, label: str, row: Row | None) -> interval_dot.IntervalRow:
    get = row or {}
    value = scaled(get.get("difference"), 100)
    note = f"observed {percent(get['observed'])}, expected {percent(get['expected'])}" if value is not None else ""
    return {
        "label": label,
        "note": note,
        "value": value,
        "low": scaled(get.get("difference_low"), 100),
        "high": scaled(get.get("difference_high"), 100),
        "text": "" if value is None else decimal(value),
        "words": "" if value is not None else _why_not(row, selection.meta),
    }


def _why_not(row: Row | None, meta: SiteMeta) -> str:
    if row is None:
        return "no episodes"
    return meta.too_few if row["suppressed"] else (say.model_reason(row["reason"]) or "not compared")


def _adjusted_cells(selection: Selection, row: Row | None, scale: int) -> list[Cell]:
    if row is None or row["suppressed"]:
        hidden = selection.meta.hidden if row else 0
        return [hidden, *[HIDDEN if row else None] * 6, _why_not(row, selection.meta)]
    names = ("observed", "expected", "difference", "difference_low", "difference_high")
    place = say.zone_words(row["zone"]) if row["zone"] else f"Not compared: {_why_not(row, selection.meta)}"
    return [row["n"], whole(row["completeness"]), *(scaled(row[name], scale) for name in names), place]


def _model(selection: Selection, made: State) -> None:
    frames = selection.frames
    keys = [selection.condition] if selection.condition else [key for key, _ in frames.published.conditions]
    cards = [(key, row) for key in keys for row in sorted(frames.models.get(key, []), key=_outcome_order)]
    made.rows["model"] = [
        [condition_label(frames, key or ""), *_model_cells(row, selection.meta)] for key, row in cards
    ]
    parts = frames.calibration.get(selection.condition, [])
    made.plots["model"] = calibration.spec(parts) if parts else None
    if parts:
        made.text["model.none"] = ""
    elif selection.condition is None:
        made.text["model.none"] = "Every condition has its own model: choose one to see its calibration."
    else:
        made.text["model.none"] = _no_model(selection)
    made.text["model.say"] = _model_sentence([row for _, row in cards], selection)


def _outcome_order(row: Row) -> int:
    known = list(OUTCOMES)
    return known.index(row["outcome_id"]) if row["outcome_id"] in known else len(known)


def _model_cells(row: Row, meta: SiteMeta) -> list[Cell]:
    outcome = OUTCOMES.get(row["outcome_id"], (row["outcome_id"], 1))[0]
    if row["suppressed"]:
        return [outcome, meta.hidden, *[HIDDEN] * 8, meta.too_few]
    is_auc = row["auc"] is not None or row["unit"] == "log odds"
    apparent, held_out = (row["auc"], row["auc_cv"]) if is_auc else (row["r_squared"], row["r_squared_cv"])
    return [
        outcome,
        row["n"],
        whole(row["completeness"]),
        row["parameters"],
        "AUC" if is_auc else "R²",
        rounded(apparent, 2),
        rounded(held_out, 2),
        rounded(row["calibration_slope"], 2),
        rounded(row["shrinkage"], 2),
        whole(row["clinic_share"]),
        say.model_reason(row["reason"]).capitalize() or _fitted_words(row),
    ]


def _fitted_words(row: Row) -> str:
    return "Says nothing: mean expected of all" if row["shrinkage"] == 0 else "Model fitted"


def _model_sentence(cards: list[Row], selection: Selection) -> str:
    if selection.condition is None:
        recovery = [row for row in cards if row["outcome_id"] == RECOVERED]
        fitted = sum(row["reason"] is None and not row["suppressed"] for row in recovery)
        return f"A model of recovery could be fitted for {fitted} of {plural(len(recovery), 'condition')}."
    card = next((row for row in cards if row["outcome_id"] == RECOVERED), None)
    if card is None or card["auc_cv"] is None:
        return ""
    return (
        "Of two patients, one who recovered and one who did not, the model gives the first the higher chance in "
        f"{percent(card['auc_cv'])} of the pairs it had not seen (50% is guessing; {percent(card['auc'])} of those it "
        f"was fitted to). It rests on about {count(card['n'])} episodes and knows: {_traits(card['predictors'])}."
        f"{say.shrinkage_sentence(card['shrinkage'])}"
    )


def _traits(predictors: str | None) -> str:
    names = (name.split("=")[0].split(":")[0].split("^")[0] for name in (predictors or "").split(", ") if name)
    labels = [label_of(COVARIATES, name).split(",")[0] for name in dict.fromkeys(names)]
    return listing(label[:1].lower() + label[1:] for label in labels)
