"""What the page on recovery shows: one function for each part, stored once for the filters on which it depends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboards import clinic_words, recovery_words, sentences
from dashboards.care_words import SUBGROUPS, label_of
from dashboards.figures import control_chart, count_bars, recovery_curve, recovery_dot, score_change, time_dot
from dashboards.figures.build import selected_row
from dashboards.markup import clean
from dashboards.pages.parts import State
from dashboards.pages.rate_rows import HIDDEN, dot_row, rate_cells, rate_note, rate_words
from dashboards.pages.recovery_cards import CARDS, RISK_WEEKS, VARIANTS
from dashboards.pages.recovery_frames import MONTH, POPULATION, YEAR
from dashboards.recovery_words import ALL_YEARS, Scope, in_weeks
from dashboards.words import (
    ANY_CARE,
    OUTSIDE_THE_RATE,
    ROUTINE_CARE,
    count,
    percent,
    rounded,
    unknown_reason_label,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.figures.build import Spec
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Cell
    from dashboards.pages.recovery_frames import RecoveryFrames
    from dashboards.published import Published, Row

ALL_CONDITIONS = "All conditions"
ROW_CHARTS = ("conditions", "time", "pain", "motion")
"""Charts with a row for each condition, in one and the same order."""
PAIN_REACH, MOTION_REACH = (-0.7, 10.0), (40.0, 108.0)
"""Ends of the axes, with room for the number beside the lowest mark."""
FEWEST_POINTS = 2
"""Points from which on there is something to draw over time."""
TILE_DEFINITIONS = {
    "median.definition": (
        "Week by which half of all episodes had recovered, leaving without recovery taken for what it is "
        "(Aalen-Johansen). All years together."
    ),
    "fall.definition": (
        "Mean of the pain score at the last visit minus that at the first, on one and the same scale. Pain falls in "
        "part because patients come when it is worst: this is not the effect of a treatment."
    ),
    "better.definition": (
        "Share of episodes whose pain fell by at least the smallest change that patients call important, among those "
        "with room for it."
    ),
    "moved.definition": (
        "Mean of the condition's main motion in percent of normal: of the other side if it is healthy, else of the "
        "published value. More than normal counts as 100%."
    ),
    "known.definition": (
        "Share of the closed episodes for which recovery could be decided. Episodes that began with too little pain to "
        "recover from are left out."
    ),
}
OVER_KEYS: dict[str, set[str | None]] = {
    "judged": {"frozen"},
    "open": {control_chart.TRIAL, None},
    "trial": {control_chart.TRIAL},
}
"""Entries of the key of the chart over time, and the kinds of limits with which they are needed."""


@dataclass(frozen=True)
class Selection:
    """What was chosen (None, ``any`` and ``all`` = everything), with all that is needed to describe it."""

    frames: RecoveryFrames
    meta: SiteMeta
    clinic: str | None = None
    condition: str | None = None
    period: str = ALL_YEARS
    care: str = ANY_CARE
    population: str | None = None

    @property
    def published(self) -> Published:
        """The published frames."""
        return self.frames.published

    @property
    def scope(self) -> Scope:
        """The selection in words."""
        clinics = self.published.clinics
        label = dict(clinics).get(self.clinic) if self.clinic else None
        condition = self.published.condition_in_sentence(self.condition) if self.condition else None
        return Scope(label, self.meta.named_clinics(clinics), condition, self.period, self.care)

    @property
    def cell(self) -> tuple[str | None, str | None, str, str]:
        """The selection as frames are indexed."""
        return self.condition, self.clinic, self.care, self.period

    @property
    def rows(self) -> list[tuple[str | None, str]]:
        """Key and label of the rows of charts by condition: a fixed order, all together last."""
        return [*self.published.conditions, (None, ALL_CONDITIONS)]

    def rate(self, condition: str | None, definition: str | None = None, *, network: bool = False) -> Row | None:
        """Return the rate of a condition at the place chosen, or at all clinics together."""
        clinic = None if network else self.clinic
        key = (condition, clinic, self.care, self.period, definition or self.published.default_definition)
        return self.frames.rates.get(key)


# ---- by clinic, condition, period and care: what the selection as a whole says -----------------------------------
def summary(chosen: Selection) -> State:
    """Lead, notices, tiles, the box of a hidden selection, recovery by definition, and the steps to its numbers."""
    made = State()
    row, scope, meta = chosen.rate(chosen.condition), chosen.scope, chosen.meta
    funnel = chosen.frames.funnel.get((chosen.condition, chosen.clinic)) if chosen.clinic else None
    strong, rest = recovery_words.lead(row, scope, meta)
    network = chosen.rate(chosen.condition, network=True)
    made.text = {
        "lead.strong": strong,
        "lead.rest": rest + recovery_words.comparison(row, network, funnel, scope, meta),
        "notice.missing": sentences.missing_notice(row),
        "few.say": recovery_words.few(row, scope, meta),
        "pain.say": recovery_words.pain_sentence(chosen.frames.pain.get(chosen.cell), scope),
        "motion.say": recovery_words.motion_sentence(chosen.frames.motion.get(chosen.cell), scope),
    }
    _tiles(chosen, made, row, funnel)
    made.steps = _steps(chosen, row)
    return made


def _tiles(chosen: Selection, made: State, row: Row | None, funnel: Row | None) -> None:
    frames, scope, meta = chosen.frames, chosen.scope, chosen.meta
    pain, motion = frames.pain.get(chosen.cell), frames.motion.get(chosen.cell)
    if row is None or row["rate"] is None:
        _tile(made, "recovered", ("", ""), rate_words(row, meta))
    else:
        _tile(made, "recovered", recovery_words.recovered(row, funnel, scope), "")
    number, unit, sub = recovery_words.median(frames.times.get((chosen.condition, chosen.clinic, chosen.care)), scope)
    made.text |= {"median.number": number, "median.unit": unit, "median.sub": sub}
    _tile(made, "fall", sentences.pain(pain), _why(pain, meta), "points")
    _tile(made, "better", recovery_words.better(pain), _why(pain, meta))
    _tile(made, "moved", recovery_words.motion(motion), _why(motion, meta))
    if row is None or row["completeness"] is None:
        _tile(made, "known", ("", ""), rate_words(row, meta) or HIDDEN)
    else:
        _tile(made, "known", recovery_words.known(row), "")
        if sentences.is_below_target(row):
            made.alert.append("known")


def _tile(made: State, tile: str, found: tuple[str, str], otherwise: str, unit: str = "") -> None:
    number, sub = found
    made.text |= {
        f"{tile}.number": number or recovery_words.NOT_SHOWN,
        f"{tile}.unit": unit if number else "",
        f"{tile}.sub": sub if number else otherwise,
    }


def _why(row: Row | None, meta: SiteMeta) -> str:
    return meta.too_few if row is not None and (row["suppressed"] or row["n"] != 0) else "no comparable scores"


def _steps(chosen: Selection, row: Row | None) -> dict[str, list[list[str]]]:
    """What was left at each step, by passport; what leads to the known outcomes only where it is published."""
    steps: dict[str, list[list[str]]] = {}
    if row is not None and not row["suppressed"]:
        steps["recovery_by_condition"] = [
            *_unknown_steps(chosen),
            _step("Closed episodes that can be judged", row["eligible"], chosen.meta),
            _step("Known outcome", row["n"], chosen.meta),
            _step("Recovered", row["recovered"], chosen.meta),
        ]
    pain, motion = chosen.frames.pain.get(chosen.cell), chosen.frames.motion.get(chosen.cell)
    if pain is not None and not pain["suppressed"]:
        steps["pain_change"] = [
            _step("Pain at the first and the last visit on one scale", pain["n"], chosen.meta),
            _step("Of these with room for the smallest important change", pain["mcid_n"], chosen.meta),
        ]
    if motion is not None and not motion["suppressed"]:
        label = "Motion at the first and the last visit that can be judged"
        steps["rom_change"] = [_step(label, motion["n"], chosen.meta)]
    return steps


def _step(what: str, number: int | None, meta: SiteMeta) -> list[str]:
    return [what, meta.hidden if number is None else count(number)]


def _unknown_steps(chosen: Selection) -> list[list[str]]:
    if chosen.care != ANY_CARE or chosen.period != ALL_YEARS:
        return []
    rows = chosen.frames.reasons.get((chosen.condition, chosen.clinic), [])
    total = next((row["n"] for row in rows if row["n"] is not None), None)
    lines = [] if total is None else [_step("All episodes", total, chosen.meta)]
    for row in rows:
        role = "not counted" if row["reason"] in OUTSIDE_THE_RATE else "outcome unknown"
        lines.append(_step(f"{unknown_reason_label(row['reason'])} ({role})", row["episodes"], chosen.meta))
    return lines


def variants(chosen: Selection) -> State:
    """The same episodes under each definition."""
    made, meta = State(), chosen.meta
    rows = [(item, chosen.rate(chosen.condition, item.definition_id)) for item in chosen.published.contract.definitions]
    dots = [dot_row(row, clean(item.label), "in force" if item.is_default else "", None, meta) for item, row in rows]
    made.plots["variants"] = recovery_dot.spec(dots, "Ended in recovery")
    made.rows["variants"] = [[clean(item.label), *rate_cells(row, meta)] for item, row in rows]
    rates = [whole(row["rate"]) or 0 for _, row in rows if row is not None and row["rate"] is not None]
    said, scope = "No definition of recovery is accepted by all", f"{chosen.scope.words} (all years)"
    if rates and min(rates) != max(rates):
        said += f". Depending on the definition the rate {scope} runs from {min(rates)}% to {max(rates)}%."
    else:
        said += f": these are the ones computed here, {scope}."
    made.text["variants.say"] = said + _dependent(chosen)
    return made


def _dependent(chosen: Selection) -> str:
    """Name the conditions, and the clinics beside the network, of which another definition says something else."""
    published = chosen.published
    if chosen.care != ANY_CARE or chosen.period != ALL_YEARS:
        return ""
    of = chosen.frames.dependent
    conditions = [published.condition_in_sentence(key) for key, _ in published.conditions if (key, chosen.clinic) in of]
    if chosen.clinic is not None:
        conditions += ["all conditions together"] if (None, chosen.clinic) in of else []
        about = f" What is said of {chosen.scope.clinic} beside the other clinics depends on it for"
        return f"{about} {clinic_words.names(conditions)}." if conditions else ""
    clinics = [label for key, label in published.clinics if (None, key) in of]
    text = f" Whether most recover depends on it for {clinic_words.names(conditions)}." if conditions else ""
    if clinics:
        text += f" What is said of a clinic beside the others depends on it for {clinic_words.names(clinics)}."
    return text


# ---- by clinic, period and care: a row for each condition -----------------------------------------------------------
def by_condition(chosen: Selection) -> State:
    """Recovery, pain and motion, condition by condition."""
    made = State()
    _conditions(chosen, made)
    _pain(chosen, made)
    _motion(chosen, made)
    return made


def _row_head(key: str | None, label: str) -> Cell:
    """Return the head of a row: of a condition a button that chooses it."""
    return label if key is None else [clean(key), label]


def _conditions(chosen: Selection, made: State) -> None:
    meta = chosen.meta
    dots, cells, found = [], [], []
    for key, label in chosen.rows:
        row = chosen.rate(key)
        network = chosen.rate(key, network=True) if chosen.clinic else None
        found.append(row)
        dots.append(dot_row(row, label, rate_note(row), network, meta))
        cells.append([_row_head(key, label), *rate_cells(row, meta), whole(network["rate"]) if network else None])
    spec = recovery_dot.spec(dots, "Ended in recovery", (found[-1] or {}).get("rate"))
    made.plots["conditions"] = _choosable(spec, chosen)
    made.rows["conditions"] = cells
    hidden = sentences.hidden_groups(found[:-1], "condition is", "conditions are", meta)
    made.text["conditions.say"] = (
        f"Share of closed episodes with a known outcome that ended in recovery, {chosen.scope.words}.{hidden} "
        "Conditions stand in a fixed order: differences between them are differences between diseases."
    )


def _choosable(spec: Spec, chosen: Selection) -> Spec:
    """Return a chart by condition of which a mark chooses its condition; room is kept to mark the chosen one."""
    keys = [clean(key or "") for key, _ in chosen.rows]
    data = [
        {**trace, "customdata": [keys[int(place)] if place is not None else "" for place in trace["y"]], "meta": _DRILL}
        if "markers" in trace["mode"]
        else trace
        for trace in spec["data"]
    ]
    return {"data": data, "layout": {**spec["layout"], "shapes": [selected_row(None)]}}


_DRILL = {"drill": "condition"}


def _pain(chosen: Selection, made: State) -> None:
    meta = chosen.meta
    marks: list[score_change.ScoreRow] = []
    cells: list[list[Cell]] = []
    for key, label in chosen.rows:
        row = chosen.frames.pain.get((key, chosen.clinic, chosen.care, chosen.period))
        marks.append(_score_row(label, row, ("baseline_mean", "last_mean"), meta))
        cells.append([_row_head(key, label), *_pain_cells(row, meta)])
    look = score_change.Look(PAIN_REACH, fall=smallest_fall(chosen.published))
    made.plots["pain"] = _choosable(score_change.spec(marks, "Mean pain, 0 (none) to 10 (worst)", look), chosen)
    made.rows["pain"] = cells


def smallest_fall(published: Published) -> float | None:
    """The smallest fall in pain that patients call important, if it is the same for all conditions."""
    contract = published.contract
    scales = [contract.measure(item.pain_measure) for item in contract.conditions]
    falls = {float(scale.mcid.value) for scale in scales if scale.mcid}
    return falls.pop() if len(falls) == 1 else None


def _score_row(label: str, row: Row | None, names: tuple[str, str], meta: SiteMeta) -> score_change.ScoreRow:
    first, last = (None if row is None else row[name] for name in names)
    drawn = first is not None and last is not None
    note = f"n {count(row['n'])}" if row is not None and drawn and row["n"] is not None else ""
    return {"label": label, "note": note, "first": first, "last": last, "words": "" if drawn else _why(row, meta)}


def _pain_cells(row: Row | None, meta: SiteMeta) -> list[Cell]:
    if row is None:
        return [0, *[None] * 9]
    if row["suppressed"]:
        return [meta.hidden, *[HIDDEN] * 9]
    means = ("baseline_mean", "last_mean", "change_mean", "change_low", "change_high")
    shares = ("mcid_rate", "mcid_low", "mcid_high", "deteriorated_rate")
    size = meta.hidden if row["n"] is None else row["n"]
    return [size, *(rounded(row[name]) for name in means), *(whole(row[name]) for name in shares)]


def _motion(chosen: Selection, made: State) -> None:
    meta = chosen.meta
    marks: list[score_change.ScoreRow] = []
    cells: list[list[Cell]] = []
    for key, label in chosen.rows:
        row = chosen.frames.motion.get((key, chosen.clinic, chosen.care, chosen.period))
        marks.append(_score_row(label, row, ("baseline_percent", "last_percent"), meta))
        cells.append([_row_head(key, label), *_motion_cells(row, meta)])
    least = min((end for mark in marks for end in (mark["first"], mark["last"]) if end is not None), default=100.0)
    # Numbers stand left of the lowest mark.
    low = min(MOTION_REACH[0], 10 * ((least - 8) // 10))
    look = score_change.Look((low, MOTION_REACH[1]), suffix="%", decimals=0)
    made.plots["motion"] = _choosable(score_change.spec(marks, "Range of motion, % of normal", look), chosen)
    made.rows["motion"] = cells


def _motion_cells(row: Row | None, meta: SiteMeta) -> list[Cell]:
    if row is None:
        return [0, None, None]
    if row["suppressed"]:
        return [meta.hidden, HIDDEN, HIDDEN]
    ends = (row[name] for name in ("baseline_percent", "last_percent"))
    return [meta.hidden if row["n"] is None else row["n"], *(None if end is None else whole(end / 100) for end in ends)]


# ---- by clinic and care ---------------------------------------------------------------------------------------------
def times(chosen: Selection) -> State:
    """Median time to recovery, condition by condition; all years."""
    made, meta = State(), chosen.meta
    rows: list[time_dot.TimeRow] = []
    cells: list[list[Cell]] = []
    for key, label in chosen.rows:
        row = chosen.frames.times.get((key, chosen.clinic, chosen.care))
        network = chosen.frames.times.get((key, None, chosen.care)) if chosen.clinic else None
        rows.append(_time_row(label, row, network, meta))
        cells.append([_row_head(key, label), *_time_cells(row, network, meta)])
    whole_row = chosen.frames.times.get((None, chosen.clinic, chosen.care))
    is_here = any(chosen.frames.times.get((key, chosen.clinic, chosen.care)) for key, _ in chosen.rows)
    overall = in_weeks(whole_row["median_day"]) if whole_row else None
    made.plots["time"] = _choosable(time_dot.spec(rows, overall), chosen) if is_here else None
    made.rows["time"] = cells
    made.text["time.none"] = "" if is_here else _no_time(chosen)
    is_empty = all(row["median"] is None for row in rows)
    made.hide = (["time"] if is_empty else []) + (["time-network"] if is_empty or chosen.clinic is None else [])
    return made


def time_sentence(chosen: Selection) -> State:
    """When half had recovered; all years."""
    row = chosen.frames.times.get((chosen.condition, chosen.clinic, chosen.care))
    is_published = row is not None or chosen.clinic is None or chosen.care == ANY_CARE
    said = recovery_words.time_sentence(row, chosen.scope, chosen.meta) if is_published else ""
    return State(text={"time.say": said})


def _no_time(chosen: Selection) -> str:
    if chosen.clinic and chosen.care != ANY_CARE:
        return (
            "By care received, time to recovery is computed for all clinics together: too few patients of one clinic "
            "can be followed. Choose any care or all clinics."
        )
    return f"Time to recovery is not computed {chosen.scope.words}: {chosen.meta.too_few_patients} can be followed."


def _time_row(label: str, row: Row | None, network: Row | None, meta: SiteMeta) -> time_dot.TimeRow:
    get = row or {}
    median = in_weeks(get.get("median_day"))
    words = "" if median is not None else _no_median(row, meta)
    return {
        "label": label,
        "note": f"n {count(get['n'])}" if median is not None and get["n"] is not None else "",
        "median": median,
        "low": in_weeks(get.get("median_low")),
        "high": in_weeks(get.get("median_high")),
        "network": in_weeks(network["median_day"]) if network and median is not None else None,
        "words": words,
    }


def _no_median(row: Row | None, meta: SiteMeta) -> str:
    if row is None or row["suppressed"]:
        return meta.too_few_patients
    return recovery_words.not_reached(row)


def _time_cells(row: Row | None, network: Row | None, meta: SiteMeta) -> list[Cell]:
    beside = in_weeks(network["median_day"]) if network else None
    if row is None or row["suppressed"]:
        return [meta.hidden, *[HIDDEN] * 7, beside]
    medians = [in_weeks(row[name]) for name in ("median_day", "median_low", "median_high")]
    middle: Cell = "not reached" if medians[0] is None else medians[0]
    shares = [whole(row[f"recovered_share_{day}"]) for day in recovery_words.CURVE_DAYS]
    return [row["n"], middle, *medians[1:], *shares, rounded(row["days_per_visit"]), beside]


# ---- by clinic, condition and care ----------------------------------------------------------------------------------
def curve(chosen: Selection) -> State:
    """Recovery by week; all years. By care it is published for all clinics together only."""
    made, frames, care = State(), chosen.published.curves, chosen.care
    key = (chosen.condition, chosen.clinic)
    rows = frames.get((*key, care), [])
    note, scope = "", chosen.scope
    if not rows and chosen.clinic and care != ANY_CARE:
        rows, care = frames.get((*key, ANY_CARE), []), ANY_CARE
        scope = Scope(scope.clinic, scope.clinics, scope.condition)
        note = " Shown for any care: curves by care are made for all clinics together."
    network = frames.get((chosen.condition, None, care), []) if chosen.clinic else []
    drawn = [row for row in rows if row["shown"] and not row["suppressed"]]
    made.plots["curve"] = recovery_curve.spec(rows, network) if drawn else None
    made.text["curve.say"] = recovery_words.curve(rows, scope, note)
    made.text["curve.none"] = "" if drawn else _no_curve(rows, scope, chosen.meta)
    if not drawn:
        made.hide.append("curve")
    made.rows["curve"] = [_curve_cells(row) for row in drawn]
    by_day = {row["day"]: row for row in rows}
    made.rows["risk"] = _risk_rows([by_day.get(7 * week) for week in RISK_WEEKS], chosen.meta) if drawn else []
    return made


def _no_curve(rows: Sequence[Row], scope: Scope, meta: SiteMeta) -> str:
    if not rows:
        return f"No curve {scope.words}: no episode has a pain score to start from, or too few have."
    choose = f" Choose {scope.wider}." if scope.wider else ""
    return f"Too few patients to draw a curve {scope.words}: {meta.too_few_patients} in care.{choose}"


def _curve_cells(row: Row) -> list[Cell]:
    shares = [
        whole(row[name]) for name in ("recovered_share", "recovered_low", "recovered_high", "left_share", "km_share")
    ]
    numbers = [row[name] for name in ("at_risk", "recovered_so_far", "left_so_far", "censored_so_far")]
    return [f"Week {row['day'] // 7}", *shares, *numbers]


def _risk_rows(points: Sequence[Row | None], meta: SiteMeta) -> list[list[Cell]]:
    def line(label: str, column: str) -> list[Cell]:
        return [label, *(_risk_cell(point, column, meta) for point in points)]

    return [
        line("Still in care", "at_risk"),
        line("Recovered so far", "recovered_so_far"),
        line("Left, no recovery on record", "left_so_far"),
        line("Followed no further", "censored_so_far"),
        line("Kaplan-Meier", "km_share"),
    ]


def _risk_cell(point: Row | None, column: str, meta: SiteMeta) -> Cell:
    if point is None:
        return None
    value = point[column]
    if value is None:
        return meta.hidden if column == "at_risk" else None
    return percent(value) if column == "km_share" else value


# ---- by clinic and condition ----------------------------------------------------------------------------------------
def over(chosen: Selection) -> State:
    """Recovery over calendar time; any care.

    By month where months have enough patients, else by month for all conditions together, else by year.
    """
    made, frames, meta = State(), chosen.frames, chosen.meta
    tried = [(unit, condition) for unit in (MONTH, YEAR) for condition in dict.fromkeys((chosen.condition, None))]
    unit, condition = next(
        (item for item in tried if _points(frames.over_time.get((*item, chosen.clinic), [])) >= FEWEST_POINTS),
        tried[0],
    )
    rows = frames.over_time.get((unit, condition, chosen.clinic), [])
    drawn = _points(rows) >= FEWEST_POINTS
    made.plots["over"] = control_chart.spec(rows, is_share=True) if drawn else None
    scope = Scope(chosen.scope.clinic, chosen.scope.clinics, chosen.scope.condition if condition else None)
    few = f"fewer than two periods have {meta.minimum_group} or more known outcomes"
    made.text["over.none"] = "" if drawn else f"A control chart cannot be drawn {scope.words}: {few}."
    made.text["over.say"] = _signal(frames.signals.get((unit, condition, chosen.clinic)), scope) if drawn else ""
    if drawn and condition != chosen.condition:
        made.text["over.say"] += (
            f" Shown for all conditions: one condition has too few episodes each {unit} for a control chart."
        )
    made.rows["over"] = [_period_cells(row, meta) for row in rows]
    limits = {row["limits"] for row in rows if drawn and row["value"] is not None}
    made.hide += [name for name, kinds in OVER_KEYS.items() if not limits & kinds]
    return made


def _points(rows: list[Row]) -> int:
    return sum(row["value"] is not None for row in rows)


def _signal(row: Row | None, scope: Scope) -> str:
    said = clean(row["sentence"]) if row is not None and row["sentence"] else "Too few patients to judge."
    where = scope.words[:1].upper() + scope.words[1:]
    return f"{where}, any care. {said}"


def _period_cells(row: Row, meta: SiteMeta) -> list[Cell]:
    if row["suppressed"]:
        return [row["period"], meta.hidden, *[HIDDEN] * 4, meta.too_few, None]
    if row["value"] is None:
        words = "12 weeks not over" if row["is_window_closed"] is False else meta.too_few
        return [row["period"], meta.hidden if row["n"] is None else row["n"], *[None] * 4, words, None]
    trial = ", trial limits" if row["limits"] == control_chart.TRIAL else ""
    shares = [whole(row[name]) for name in ("value", "centre", "lower", "upper")]
    what = clinic_words.CLASSES.get(row["point_class"] or "none", clinic_words.CLASSES["none"])
    return [row["period"], row["n"], *shares, f"{what}{trial}", clinic_words.rule_words(row["rules"])]


def reasons(chosen: Selection) -> State:
    """Why outcomes are unknown; any care, all years."""
    made, meta = State(), chosen.meta
    rows = chosen.frames.reasons.get((chosen.condition, chosen.clinic), [])
    bars: list[count_bars.CountRow] = []
    cells: list[list[Cell]] = []
    for row in rows:
        label = unknown_reason_label(row["reason"])
        role = "not counted in the rate" if row["reason"] in OUTSIDE_THE_RATE else "outcome unknown"
        hidden = row["episodes"] is None
        bars.append({"label": label, "note": role, "value": row["episodes"], "words": meta.too_few if hidden else ""})
        cells.append(
            [label, role, meta.hidden if hidden else row["episodes"], HIDDEN if hidden else whole(row["share"])]
        )
    made.plots["reasons"] = count_bars.spec(bars, "Episodes") if bars else None
    made.rows["reasons"] = cells
    made.text["reasons.none"] = "" if bars else f"No episode {chosen.scope.words} lacks an outcome, or too few do."
    made.text["reasons.say"] = (
        f"Episodes without a known outcome {chosen.scope.words}, all years, any care. "
        "An unknown outcome is never counted as not recovered."
    )
    return made


def reading(chosen: Selection) -> State:
    """How charts are to be read, and what the tiles mean: once for all selections, and not in the page itself."""
    texts = {f"{card.card_id}.read": card.read for card in CARDS}
    terms = (f"{item.label}: {item.sentence}" for item in chosen.published.contract.definitions)
    texts[f"{VARIANTS.card_id}.read"] = clean(" ".join([VARIANTS.read, *terms]))
    definition = chosen.published.contract.default_definition
    recovered = f"{definition.sentence} Share of the closed episodes with a known outcome."
    return State(text=texts | {"recovered.definition": clean(recovered), **TILE_DEFINITIONS})


def place(chosen: Selection) -> State:
    """Hide what compares with all clinics where these are what is shown."""
    return State(hide=[] if chosen.clinic else ["network"])


# ---- for all clinics: the same whatever clinic is chosen -------------------------------------------------------------
def groups(chosen: Selection) -> State:
    """Recovery by group of patients for one condition; all clinics, all years, any care."""
    made, meta = State(), chosen.meta
    dots, cells, found = [], [], []
    for group in chosen.frames.populations:
        row = chosen.frames.groups.get((chosen.condition, group))
        label = label_of(SUBGROUPS[POPULATION], group)
        found.append(row)
        dots.append(dot_row(row, label, rate_note(row), None, meta))
        fall: Cell = None
        if row is not None:
            fall = HIDDEN if row["suppressed"] else rounded(row["change_mean"])
        cells.append([[clean(group), label], *rate_cells(row, meta), fall])
    everybody = chosen.rate(chosen.condition)
    spec = recovery_dot.spec(dots, "Ended in recovery", everybody["rate"] if everybody else None)
    for trace in spec["data"]:
        if "markers" in trace["mode"]:
            trace |= {
                "customdata": [clean(chosen.frames.populations[place]) for place in trace["y"]],
                "meta": _GROUP_DRILL,
            }
    spec["layout"]["shapes"] = [selected_row(None)]
    made.plots["population"] = spec
    made.rows["population"] = cells
    hidden = sentences.hidden_groups(found, "group is", "groups are", meta)
    made.text["population.say"] = (
        f"Share of closed episodes with a known outcome that ended in recovery {chosen.scope.words}, all years, any "
        f"care, as recorded.{hidden}"
    )
    return made


_GROUP_DRILL = {"drill": POPULATION}


def group_notice(chosen: Selection) -> State:
    """The numbers of the group of patients that was chosen."""
    made = State()
    if chosen.population is None:
        made.text["notice.population"] = ""
        return made
    condition = chosen.scope.condition or "all conditions"
    row = chosen.frames.groups.get((chosen.condition, chosen.population))
    said = recovery_words.population(label_of(SUBGROUPS[POPULATION], chosen.population), row, condition, chosen.meta)
    made.text["notice.population"] = (
        f"{said} Groups of patients are published for all clinics together only: the other numbers of this page are "
        "those of all patients."
    )
    return made


def marked(spec: Spec, place: int) -> Spec:
    """Return a chart of rows with one of them marked."""
    shapes = [selected_row(place), *spec["layout"]["shapes"][1:]]
    return {**spec, "layout": {**spec["layout"], "shapes": shapes}}


def not_randomised(chosen: Selection) -> State:
    """The notice that stands above every number by care received."""
    made = State()
    made.text["notice.care"] = sentences.NOT_RANDOMISED if chosen.care in ROUTINE_CARE else ""
    return made
