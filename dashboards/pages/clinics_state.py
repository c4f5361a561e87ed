"""What the page of clinics shows for one clinic and one condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assets.contract.charts import CHART_SERIES
from assets.contract.definitions import COMPLETENESS_TARGET_PERCENT
from dashboards import clinic_words as say
from dashboards import sentences
from dashboards.care_words import COVARIATES, label_of
from dashboards.figures import calibration, control_chart, funnel, interval_dot, recovery_dot
from dashboards.figures.build import selected_row
from dashboards.markup import clean
from dashboards.pages.clinic_frames import RECOVERED
from dashboards.pages.parts import State
from dashboards.words import DOT, count, decimal, listing, percent, plural, rounded, whole

if TYPE_CHECKING:
    from dashboards.figures.build import Spec
    from dashboards.pages.clinic_frames import ClinicFrames
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Cell
    from dashboards.published import Row

HIDDEN = "not shown"
FUNNEL_AXES = ("Episodes with a known outcome", "Ended in recovery")
STAGES = {
    "baseline": "Pain at the first visit",
    "discharge": "Comparable pain at discharge",
    "motion": "Motion that can be judged",
    "follow_up": "A later follow-up",
}
OUTCOMES = {
    RECOVERED: ("Recovered (%)", 100),
    "pain_points": ("Less pain by the points of the public measures (%)", 100),
    "pain_change": ("Fall in pain (points of 0 to 10)", 1),
    "function_change": ("Gain in function (points of 0 to 100)", 1),
}
"""Outcomes of the case-mix models, and what their numbers are multiplied by."""
OF_CONDITION = ("chance", "spread")
"""Parts that are hidden, or not, whatever the clinic."""
OVER_KEYS: dict[str, set[str | None]] = {
    "judged": {"frozen"},
    "open": {control_chart.TRIAL, None},
    "trial": {control_chart.TRIAL},
}
"""Entries of the key of the chart over time, and the kinds of limits with which they are needed."""
EXCLUSIONS = ("under_age", "age_missing", "no_first_score", "no_last_score", "no_room")


@dataclass(frozen=True)
class Selection:
    """A clinic and a condition (null = all), with everything needed to describe them."""

    frames: ClinicFrames
    meta: SiteMeta
    clinic: str | None
    condition: str | None

    @property
    def clinics(self) -> list[tuple[str, str]]:
        """Key and label of all clinics, alphabetical."""
        return self.frames.published.clinics

    @property
    def label(self) -> str | None:
        """The clinic's label; None for all."""
        return dict(self.clinics).get(self.clinic) if self.clinic else None

    @property
    def place(self) -> tuple[str | None, str | None]:
        """Condition and clinic, as frames are indexed."""
        return self.condition, self.clinic

    @property
    def condition_words(self) -> str:
        """The condition inside a sentence."""
        return condition_label(self.frames, self.condition) if self.condition else "all conditions together"

    @property
    def position(self) -> int | None:
        """Row of the selected clinic."""
        keys = [key for key, _ in self.clinics]
        return keys.index(self.clinic) if self.clinic in keys else None

    def conclusions(self, clinic: str | None) -> list[Row]:
        """What is concluded about a clinic, or the condition as a whole, under each definition."""
        return self.frames.published.conclusions.get((self.condition, clinic), [])


def condition_label(frames: ClinicFrames, condition: str) -> str:
    """What a condition is called."""
    known = {item.condition_id: clean(item.label) for item in frames.published.contract.conditions}
    return dict(frames.published.conditions).get(condition, known.get(condition, clean(condition)))


def state(selection: Selection, everybody: State | None = None) -> State:
    """Return all texts, figures and rows of the selection.

    ``everybody`` is the state of all clinics for the same condition, with which that of a clinic shares its tables.
    """
    if everybody is None:
        made = State()
        _funnel(selection, made)
        _told(selection, made)
        _adjusted(selection, made)
        _model(selection, made)
        _public(selection, made)
        made.rows["known"] = [[label, *_known_cells(selection, key)] for key, label in selection.clinics]
    else:
        made = State(dict(everybody.text), dict(everybody.plots), dict(everybody.rows))
        made.hide = [name for name in everybody.hide if name in OF_CONDITION]
        _choose(selection, made)
    _headline(selection, made)
    _known(selection, made)
    _over_time(selection, made)
    made.text["public.say"] = _public_sentence(selection)
    # The key of a chart goes with it.
    made.hide += [card for card, spec in made.plots.items() if spec is None]
    return made


def _choose(selection: Selection, made: State) -> None:
    """Mark the clinic in the charts of all clinics."""
    row = selection.frames.funnel.get(selection.place)
    spec = made.plots["funnel"]
    if spec is not None and row is not None and row["zone"] is not None:
        made.plots["funnel"] = funnel.with_chosen(spec, _point(selection.label or "", row), is_share=True)
    for card in ("told", "adjusted"):
        made.plots[card] = _with_selection(made.plots[card], selection.position)


def _headline(selection: Selection, made: State) -> None:
    frames, meta, words = selection.frames, selection.meta, selection.condition_words
    contract = frames.published.contract
    if selection.label is None:
        rows = [frames.funnel.get((selection.condition, key)) for key, _ in selection.clinics]
        strong, rest = say.funnel_counts(rows, words)
        changing = [label for key, label in selection.clinics if say.depends(selection.conclusions(key))]
        notice = (
            f"What is said of {say.names(changing)} depends on the definition of recovery; choose a clinic to see how."
            if changing
            else ""
        )
        whole_place = say.definition_notice(words, selection.conclusions(None), contract) if selection.condition else ""
        made.text["notice.definition"] = " ".join(part for part in (notice, whole_place) if part)
    else:
        row = frames.funnel.get(selection.place)
        adjusted = frames.adjusted.get((*selection.place, RECOVERED))
        strong, rest = say.clinic_lead(selection.label, words, row, adjusted, meta)
        made.text["notice.definition"] = say.definition_notice(
            selection.label, selection.conclusions(selection.clinic), contract
        )
    made.text |= {"lead.strong": strong, "lead.rest": rest}
    made.text["notice.missing"] = sentences.missing_notice(frames.sensitivity.get(selection.place))


def _funnel(selection: Selection, made: State) -> None:
    frames, meta = selection.frames, selection.meta
    rows = [(key, label, frames.funnel.get((selection.condition, key))) for key, label in selection.clinics]
    points = [_point(label, row) for _, label, row in rows if row is not None and row["zone"] is not None]
    lines = [_line(row) for row in frames.lines.get(selection.condition, []) if row["line_low_95"] is not None]
    centre = next((row["network"] for _, _, row in rows if row is not None and row["zone"] is not None), None)
    made.plots["funnel"] = funnel.spec(points, lines, centre, FUNNEL_AXES, is_share=True) if points else None
    made.text["funnel.none"] = "" if points else f"No clinic can be compared for {selection.condition_words}."
    made.text["funnel.say"] = say.funnel_sentence([(label, row) for _, label, row in rows], meta)
    made.rows["funnel"] = [[label, *_funnel_cells(selection, key, row)] for key, label, row in rows]
    if not any(line["chance_low"] is not None for line in lines):
        made.hide.append("chance")


def _point(label: str, row: Row) -> funnel.FunnelPoint:
    return {"label": label, "n": row["n"], "value": row["value"], "zone": row["zone"]}


def _line(row: Row) -> funnel.FunnelLine:
    wide = row["is_widened"]
    return {
        "at_n": row["at_n"],
        "low_95": row["widened_low_95"],
        "high_95": row["widened_high_95"],
        "low_998": row["widened_low_998"],
        "high_998": row["widened_high_998"],
        "chance_low": row["line_low_95"] if wide else None,
        "chance_high": row["line_high_95"] if wide else None,
    }


def _funnel_cells(selection: Selection, clinic: str, row: Row | None) -> list[Cell]:
    reason = say.not_compared(row, selection.meta)
    if row is None:
        return [0, *[None] * 5, reason, None, *[None] * 4, None]
    if row["suppressed"]:
        return [selection.meta.hidden, *[HIDDEN] * 5, reason, HIDDEN, *[HIDDEN] * 4, HIDDEN]
    limits = [whole(row[name]) for name in ("low_95", "high_95", "low_998", "high_998")]
    adjusted = selection.frames.adjusted.get((selection.condition, clinic, RECOVERED))
    conclusions = selection.conclusions(clinic)
    return [
        row["n"],
        whole(row["value"]),
        *limits,
        f"Not compared: {reason}" if reason else say.zone_words(row["zone"]),
        whole(row["completeness"]),
        *_observed_cells(selection, adjusted),
        ("Yes" if say.depends(conclusions) else "No") if conclusions and not reason else None,
    ]


def _observed_cells(selection: Selection, row: Row | None) -> list[Cell]:
    if row is None:
        return [None, None, None, None]
    if row["suppressed"]:
        return [*[HIDDEN] * 3, selection.meta.too_few]
    return [
        whole(row["observed"]),
        whole(row["expected"]),
        _scaled(row["difference"], 100),
        say.zone_words(row["zone"]) if row["zone"] else say.model_reason(row["reason"]),
    ]


def _scaled(value: float | None, scale: int) -> float | None:
    return None if value is None else rounded(value * scale)


def _told(selection: Selection, made: State) -> None:
    frames = selection.frames
    rows = [(label, frames.shrunken.get((selection.condition, key))) for key, label in selection.clinics]
    dots = [_shrunken_dot(selection, label, row) for label, row in rows]
    funnel_rows = (frames.funnel.get((selection.condition, key)) for key, _ in selection.clinics)
    centre = next((row["network"] for row in funnel_rows if row is not None and row["network"] is not None), None)
    drawn = any(dot["rate"] is not None for dot in dots)
    made.plots["told"] = _with_selection(recovery_dot.spec(dots, FUNNEL_AXES[1], centre), None) if drawn else None
    made.text["told.none"] = (
        ""
        if drawn
        else f"Too few clinics can be compared for {selection.condition_words} to estimate their true rates."
    )
    made.text["told.say"] = say.spread_sentence(frames.spread.get(selection.condition))
    made.rows["told"] = [[label, *_shrunken_cells(selection, row)] for label, row in rows]
    made.rows["spread"] = _spread_rows(frames.spread.get(selection.condition))
    if not made.rows["spread"]:
        made.hide.append("spread")


def _with_selection(spec: Spec | None, position: int | None) -> Spec | None:
    """Return a figure of rows with that of the selected clinic marked, if any."""
    if spec is None:
        return None
    return {**spec, "layout": {**spec["layout"], "shapes": [selected_row(position)]}}


def _shrunken_reason(row: Row | None, meta: SiteMeta) -> str:
    if row is None:
        return "no episodes"
    if row["suppressed"] or row["not_compared"] == say.TOO_FEW_PATIENTS:
        return say.not_compared(row, meta)
    return {say.TOO_INCOMPLETE: say.FLOOR, "no_variation": "all have the same outcome"}.get(
        row["not_compared"] or "", "too few clinics to compare"
    )


def _shrunken_dot(selection: Selection, label: str, row: Row | None) -> recovery_dot.RateRow:
    get = row or {}
    known = get.get("shrunken") is not None
    return {
        "label": label,
        "note": f"own rate {percent(get['value'])} {DOT} n {count(get['n'])}" if known else "",
        "rate": get.get("shrunken"),
        "rate_low": get.get("shrunken_low"),
        "rate_high": get.get("shrunken_high"),
        "n": get.get("n"),
        "network": None,
        "words": "" if known else _shrunken_reason(row, selection.meta),
    }


def _shrunken_cells(selection: Selection, row: Row | None) -> list[Cell]:
    if row is None:
        return [0, *[None] * 6, "no episodes"]
    if row["suppressed"]:
        return [selection.meta.hidden, *[HIDDEN] * 6, selection.meta.too_few]
    if row["shrunken"] is None:
        return [row["n"], whole(row["value"]), *[None] * 5, f"Not compared: {_shrunken_reason(row, selection.meta)}"]
    names = ("shrunken", "shrunken_low", "shrunken_high", "probability_best_quarter", "probability_worst_quarter")
    apart = f"{row['differs_from']} of {plural(row['clinics'] - 1, 'other clinic')}"
    return [row["n"], whole(row["value"]), *(whole(row[name]) for name in names), apart]


def _spread_rows(row: Row | None) -> list[list[Cell]]:
    if row is None or row["suppressed"] or row["pairs"] is None:
        return []
    found: list[list[Cell]] = [
        ["Clinics that can be compared", str(row["clinics"])],
        ["Pairs that can be told apart", f"{row['pairs_apart']} of {row['pairs']}"],
        ["Heterogeneity Q", f"{decimal(row['q'])}, p {_p(row['chance_p'])}"],
    ]
    if row["between_sd"] is None:
        return found
    needed = "no number of patients" if row["patients_needed"] is None else f"about {_up(row['patients_needed'])}"
    return [
        *found,
        ["Over-dispersion (1: chance alone)", decimal(row["phi"])],
        ["SD between clinics, percentage points", decimal(row["between_sd"] * 100)],
        ["Share of variation between clinics (ICC)", decimal(row["icc"], 3)],
        ["Patients for a reliability of 70%", needed],
        ["Reliability of the median clinic", percent(row["median_reliability"])],
    ]


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else decimal(value, 3)  # noqa: PLR2004 usual


def _up(value: float) -> str:
    return f"{-int(-value // 1):,}"


def _adjusted(selection: Selection, made: State) -> None:
    frames = selection.frames
    dots: list[interval_dot.IntervalRow] = []
    cells: list[list[Cell]] = []
    for outcome, (title, scale) in OUTCOMES.items():
        rows = [(label, frames.adjusted.get((selection.condition, key, outcome))) for key, label in selection.clinics]
        if all(row is None for _, row in rows):
            continue
        cells += [[title, label, *_adjusted_cells(selection, row, scale)] for label, row in rows]
        if outcome == RECOVERED:
            dots = [_difference_dot(selection, label, row) for label, row in rows]
    drawn = any(dot["value"] is not None for dot in dots)
    axis = "Observed less expected, percentage points"
    made.plots["adjusted"] = _with_selection(interval_dot.spec(dots, axis), None) if drawn else None
    made.rows["adjusted"] = cells
    made.text["adjusted.none"] = "" if drawn else _no_model(selection)
    made.text["adjusted.say"] = _adjusted_sentence(selection)


def _no_model(selection: Selection) -> str:
    cards = selection.frames.models.get(selection.condition, [])
    reason = next((row["reason"] for row in cards if row["outcome_id"] == RECOVERED), None)
    why = f" {say.model_reason(reason).capitalize()}." if reason else ""
    return f"No outcome is expected by a model for {selection.condition_words}.{why}"


def _adjusted_sentence(selection: Selection) -> str:
    found = [
        (label, selection.frames.adjusted.get((selection.condition, key, RECOVERED)))
        for key, label in selection.clinics
    ]
    zones = [(label, row["zone"]) for label, row in found if row is not None and row["zone"] is not None]
    if not zones:
        return ""
    inside = sum(zone == say.AS_EXPECTED for _, zone in zones)
    text = (
        f"After adjustment for what was known of patients before treatment, {inside} of "
        f"{plural(len(zones), 'clinic')} {'is' if inside == 1 else 'are'} within the range expected "
        f"{say.limits_by(row for _, row in found)}."
    )
    for group, where in ((say.OUTSIDE, "Outside the 99.8% limits"), (say.BETWEEN, "Between the limits")):
        named = [f"{label} ({say.ZONES[zone].lower()})" for label, zone in zones if zone in group]
        text += f" {where}: {say.names(named)}." if named else ""
    return text


def _difference_dot(selection: Selection, label: str, row: Row | None) -> interval_dot.IntervalRow:
    get = row or {}
    value = _scaled(get.get("difference"), 100)
    return {
        "label": label,
        "note": f"observed {percent(get['observed'])}, expected {percent(get['expected'])}"
        if value is not None
        else "",
        "value": value,
        "low": _scaled(get.get("difference_low"), 100),
        "high": _scaled(get.get("difference_high"), 100),
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
    return [row["n"], whole(row["completeness"]), *(_scaled(row[name], scale) for name in names), place]


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
        f"was fitted to). It rests on {count(card['n'])} episodes and knows: {_traits(card['predictors'])}."
        f"{say.shrinkage_sentence(card['shrinkage'])}"
    )


def _traits(predictors: str | None) -> str:
    names = (name.split("=")[0].split(":")[0].split("^")[0] for name in (predictors or "").split(", ") if name)
    labels = [label_of(COVARIATES, name).split(",")[0] for name in dict.fromkeys(names)]
    return listing(label[:1].lower() + label[1:] for label in labels)


def _known(selection: Selection, made: State) -> None:
    frames, meta = selection.frames, selection.meta
    rows = [(label, frames.completion.get((*selection.place, stage))) for stage, label in STAGES.items()]
    dots: list[recovery_dot.RateRow] = []
    for stage, label in STAGES.items():
        row = frames.completion.get((*selection.place, stage)) or {}
        network = frames.completion.get((selection.condition, None, stage)) if selection.clinic else None
        hidden = meta.too_few if row.get("suppressed") else "no closed episodes"
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
    if selection.clinic and sensitivity is not None and not sensitivity["suppressed"]:
        parts.append(f"{say.tipping_words(sensitivity)}.")
    made.text["known.say"] = " ".join(part for part in parts if part)
    if selection.clinic is None:
        made.hide.append("network")


def _known_cells(selection: Selection, clinic: str) -> list[Cell]:
    frames, meta = selection.frames, selection.meta
    place = (selection.condition, clinic)
    stages = [frames.completion.get((*place, stage)) for stage in STAGES]
    shares: list[Cell] = [
        None if row is None else (HIDDEN if row["suppressed"] else whole(row["rate"])) for row in stages
    ]
    first = next((row for row in stages if row is not None), None)
    closed: Cell = 0 if first is None else (meta.hidden if first["suppressed"] else first["n"])
    row = frames.sensitivity.get(place)
    if row is None:
        return [closed, *shares, *[None] * 6, None]
    if row["suppressed"]:
        return [closed, *shares, *[HIDDEN] * 6, meta.too_few]
    names = (
        *("rate", "rate_if_missing_none", "rate_if_missing_all"),
        *("weighted_rate", "weighted_low", "weighted_high"),
    )
    return [closed, *shares, *(whole(row[name]) for name in names), say.tipping_words(row)]


def _over_time(selection: Selection, made: State) -> None:
    frames = selection.frames
    rows = frames.over_time.get(selection.place, [])
    points = sum(row["value"] is not None for row in rows)
    drawn = points > 1
    signals = frames.signals.get(selection.place, {})
    made.plots["over"] = control_chart.spec(rows, is_share=True) if drawn else None
    few = f"{'one year' if points else 'no month or year'} has {selection.meta.minimum_group} or more known outcomes"
    made.text["over.none"] = "" if drawn else f"Nothing to draw for this selection: {few}."
    made.text["over.say"] = _signal(signals.get(RECOVERED)) + (f" {_gaps(rows, selection.meta)}" if drawn else "")
    others = [
        f"{series.label}: {_signal(signals[series.series_id])}"
        for series in CHART_SERIES
        if series.series_id != RECOVERED and series.series_id in signals
    ]
    made.text["over.others"] = " ".join(others) if drawn else ""
    made.rows["over"] = [_period_cells(row, selection.meta) for row in rows]
    limits = {row["limits"] for row in rows if drawn and row["value"] is not None}
    made.hide += [name for name, kinds in OVER_KEYS.items() if not limits & kinds]


def _signal(row: Row | None) -> str:
    if row is None:
        return "Recovery of this selection is not charted over time."
    return clean(row["sentence"]) if row["sentence"] else "Too few patients to judge."


def _gaps(rows: list[Row], meta: SiteMeta) -> str:
    unit = "month" if rows and rows[0]["time_unit"] == "month" else "year"
    is_open = sum(row["is_window_closed"] is False for row in rows)
    few = sum(row["value"] is None and row["is_window_closed"] is not False for row in rows)
    parts = [f"{plural(few, unit)} with {meta.too_few}"] if few else []
    parts += [f"{plural(is_open, unit)} in which the 12 weeks are not over"] if is_open else []
    return f"Left out: {listing(parts)}." if parts else ""


def _period_cells(row: Row, meta: SiteMeta) -> list[Cell]:
    if row["suppressed"]:
        return [row["period"], meta.hidden, *[HIDDEN] * 4, meta.too_few, None]
    if row["value"] is None:
        words = "12 weeks not over" if row["is_window_closed"] is False else meta.too_few
        return [row["period"], row["n"], *[None] * 4, words, None]
    trial = ", trial limits" if row["limits"] == control_chart.TRIAL else ""
    shares = [whole(row[name]) for name in ("value", "centre", "lower", "upper")]
    what = say.CLASSES.get(row["point_class"] or "none", say.CLASSES["none"])
    return [row["period"], row["n"], *shares, f"{what}{trial}", say.rule_words(row["rules"])]


def _public(selection: Selection, made: State) -> None:
    frames = selection.frames
    cells = []
    for measure in _measures(selection)[1]:
        for clinic, label in [(None, "All clinics"), *selection.clinics]:
            row = frames.public.get((measure["measure_id"], measure["region"], clinic))
            if row is not None:
                cells.append([_measure_label(measure), label, *_public_cells(selection, measure, row)])
    made.rows["public"] = cells


def _measures(selection: Selection) -> tuple[list[Row], list[Row]]:
    """Rows about the condition: all of them, and those that are a measure."""
    found = [row for row in selection.frames.measures if _concerns(row, selection.condition)]
    return found, [row for row in found if row["version"] is not None]


def _concerns(row: Row, condition: str | None) -> bool:
    return condition is None or condition in (row["conditions"] or "").split(", ")


def _measure_label(row: Row) -> str:
    name = row["measure_id"].replace("mips_", "MIPS ").replace("qcdr_pain", "QCDR")
    return clean(f"{row['label']} ({name}, {row['version']}{'' if row['is_verified'] else ', wording not verified'})")


def _public_cells(selection: Selection, measure: Row, row: Row) -> list[Cell]:
    meta = selection.meta
    if row["suppressed"]:
        return [meta.hidden, *[HIDDEN] * 15, meta.too_few]
    scale = 100 if measure["measure_id"].startswith("qcdr") else 1
    names = (
        *("observed", "observed_low", "observed_high", "expected"),
        *("difference", "difference_low", "difference_high"),
    )
    if row["is_met"] is None:
        met = "No mark in the text" if measure["meets_at"] is None else None
    else:
        met = "Met" if row["is_met"] else "Not met"
    words = _model_words(selection, row)
    return [
        row["eligible"],
        row["reported"],
        whole(row["completeness"]),
        *(_scaled(row[name], scale) for name in names),
        met,
        *(meta.hidden if row[name] is None else row[name] for name in EXCLUSIONS),
        words,
    ]


def _model_words(selection: Selection, row: Row) -> str:
    if row["reason"]:
        return say.model_reason(row["reason"], lambda key: condition_label(selection.frames, key)).capitalize()
    parts = [] if row["is_complete"] else ["data not complete"]
    parts += ["expected by the source's own model"] if row.get("expected_by") == "source" else []
    return ", ".join(parts).capitalize()


def _public_sentence(selection: Selection) -> str:
    measures, known = _measures(selection)
    if not known:
        why = next((clean(row["label"]) for row in measures), "no measure names it")
        return f"No public measure of these two kinds: {why}."
    text = f"{plural(len(known), 'measure')} of registries, computed here after the published texts; no submission."
    if selection.clinic is None:
        return text
    rows = [selection.frames.public.get((row["measure_id"], row["region"], selection.clinic)) for row in known]
    judged: list[Any] = [row["is_met"] for row in rows if row is not None and row["is_met"] is not None]
    if not judged:
        return f"{text} None of them can be judged for {selection.label}."
    return f"{text} {selection.label} meets {sum(judged)} of {len(judged)} that name a mark and can be judged."
