"""What the overview shows for one clinic and one kind of care."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assets.contract.definitions import COMPLETENESS_TARGET_PERCENT
from dashboards import clinic_words, sentences
from dashboards.figures import completeness, count_bars, recovery_curve, recovery_dot
from dashboards.markup import clean
from dashboards.pages.parts import State
from dashboards.pages.rate_rows import NOT_KNOWN, dot_row, rate_cells, rate_words
from dashboards.words import (
    ANY_CARE,
    OUTSIDE_THE_RATE,
    ROUTINE_CARE,
    count,
    percent,
    plural,
    unknown_reason_label,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Cell
    from dashboards.published import Published, Row

RISK_WEEKS = (0, 4, 8, 12, 16, 20, 24)


@dataclass(frozen=True)
class Selection:
    """A clinic (null = all) and a kind of care, with everything needed to describe it."""

    published: Published
    meta: SiteMeta
    clinic: str | None
    care: str

    @property
    def scope(self) -> sentences.Scope:
        """The selection in words."""
        label = dict(self.published.clinics).get(self.clinic) if self.clinic else None
        return sentences.Scope(label, self.care, len(self.published.clinics))

    def rate(self, condition: str | None = None, definition: str | None = None, *, network: bool = False) -> Row | None:
        """Return the recovery rate of the selection, or of all clinics together."""
        clinic = None if network else self.clinic
        key = (condition, clinic, self.care, definition or self.published.default_definition)
        return self.published.rates.get(key)


def state(selection: Selection) -> State:
    """Return all texts, figures and rows of the selection."""
    made = State()
    _headline(selection, made)
    _tiles(selection, made)
    _conditions(selection, made)
    _curve(selection, made)
    _definitions(selection, made)
    _clinics(selection, made)
    _reasons(selection, made)
    return made


def _headline(selection: Selection, made: State) -> None:
    row = selection.rate()
    strong, rest = sentences.lead(row, selection.rate(network=True), selection.scope, selection.meta)
    made.text |= {"lead.strong": strong, "lead.rest": rest, "notice.missing": sentences.missing_notice(row)}
    made.text["notice.care"] = sentences.NOT_RANDOMISED if selection.care in ROUTINE_CARE else ""
    if selection.clinic is None:
        made.hide.append("network")


def _tiles(selection: Selection, made: State) -> None:
    key = (None, selection.clinic, selection.care)
    published, row = selection.published, selection.rate()
    pain, motion = published.pain.get(key), published.motion.get(key)
    if row is not None and row["rate"] is not None:
        low, high = whole(row["rate_low"]), whole(row["rate_high"])
        text = f"95% CI {low} to {high}% · {plural(row['n'], 'episode')}"
        _tile(made, "recovered", percent(row["rate"]), "", text)
    else:
        _tile(made, "recovered", "", "", rate_words(row, selection.meta))
    _tile(made, "pain", sentences.pain(pain)[0], "points", sentences.pain(pain)[1], _why(pain, selection.meta))
    _tile(made, "better", sentences.better(pain)[0], "", sentences.better(pain)[1], _why(pain, selection.meta))
    _tile(made, "motion", sentences.motion(motion)[0], "", sentences.motion(motion)[1], _why(motion, selection.meta))
    if row is None or row["completeness"] is None:
        _tile(made, "known", "", "", rate_words(row, selection.meta))
    else:
        below = (whole(row["completeness"]) or 0) < COMPLETENESS_TARGET_PERCENT
        text = f"of {plural(row['eligible'], 'closed episode')} · target {COMPLETENESS_TARGET_PERCENT}%"
        _tile(made, "known", percent(row["completeness"]), "", f"▼ Below target · {text}" if below else text)
        if below:
            made.alert.append("known")


def _tile(made: State, tile: str, number: str, unit: str, sub: str, otherwise: str = "") -> None:
    made.text |= {
        f"{tile}.number": number or "Not shown",
        f"{tile}.unit": unit if number else "",
        f"{tile}.sub": sub if number else (otherwise or sub),
    }


def _why(row: Row | None, meta: SiteMeta) -> str:
    return meta.too_few if row is not None and (row["suppressed"] or row["n"]) else "no comparable scores"


def _conditions(selection: Selection, made: State) -> None:
    meta = selection.meta
    rows, cells, dots = [], [], []
    for key, label in [*selection.published.conditions, (None, "All conditions")]:
        row = selection.rate(key)
        network = selection.rate(key, network=True) if selection.clinic else None
        rows.append(row)
        dots.append(dot_row(row, label, _note(row), network, meta))
        cells.append([label, *rate_cells(row, meta), _known(row, meta), whole(network["rate"]) if network else None])
    made.plots["conditions"] = recovery_dot.spec(dots, "Ended in recovery", (rows[-1] or {}).get("rate"))
    made.rows["conditions"] = cells
    hidden = sentences.hidden_groups(rows[:-1], "condition is", "conditions are", meta)
    made.text["conditions.say"] = (
        f"Share of closed episodes with a known outcome that ended in recovery, {selection.scope.words}.{hidden} "
        "Conditions stand in a fixed order: differences between them are differences between diseases."
    )


def _note(row: Row | None) -> str:
    if row is None or row["suppressed"] or row["rate"] is None:
        return ""
    return f"n {count(row['n'])} · {percent(row['completeness'])} known"


def _known(row: Row | None, meta: SiteMeta) -> Cell:
    if row is None:
        return None
    return f"{meta.hidden} of group" if row["suppressed"] else whole(row["completeness"])


def _curve(selection: Selection, made: State) -> None:
    published, care = selection.published, selection.care
    rows = published.curves.get((None, selection.clinic, care), [])
    note, scope = "", selection.scope
    if not rows and selection.clinic and care != ANY_CARE:
        rows = published.curves.get((None, selection.clinic, ANY_CARE), [])
        scope = sentences.Scope(scope.clinic, ANY_CARE, scope.clinics)
        note = " Shown for any care: curves by care are made for all clinics together."
    network = published.curves.get((None, None, ANY_CARE if note else care), []) if selection.clinic else []
    drawn = [row for row in rows if row["shown"] and not row["suppressed"]]
    made.plots["curve"] = recovery_curve.spec(rows, network) if drawn else None
    made.text["curve.say"] = sentences.curve(rows, scope, note)
    made.text["curve.none"] = "" if drawn else _no_curve(rows, scope, selection.meta)
    if not drawn:
        made.hide.append("curve")
    made.rows["curve"] = [_curve_cells(row) for row in drawn]
    by_day = {row["day"]: row for row in rows}
    made.rows["risk"] = _risk_rows([by_day.get(7 * week) for week in RISK_WEEKS], selection.meta)


def _no_curve(rows: Sequence[Row], scope: sentences.Scope, meta: SiteMeta) -> str:
    if not rows:
        return f"No curve {scope.words}: no episode has a pain score to start from."
    few = f"fewer than {meta.minimum_group} in care"
    return f"Too few patients to draw a curve {scope.words}: {few}. Choose any care or the whole network."


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


def _definitions(selection: Selection, made: State) -> None:
    meta = selection.meta
    rows = [(item, selection.rate(definition=item.definition_id)) for item in selection.published.contract.definitions]
    dots = [dot_row(row, clean(item.label), "in force" if item.is_default else "", None, meta) for item, row in rows]
    made.plots["variants"] = recovery_dot.spec(dots, "Ended in recovery")
    made.rows["variants"] = [
        [clean(item.label), clean(item.sentence), *rate_cells(row, meta), _known(row, meta)] for item, row in rows
    ]
    rates = [(whole(row["rate"]) or 0) for _, row in rows if row is not None and row["rate"] is not None]
    spread = f"from {min(rates)}% to {max(rates)}%" if rates and min(rates) != max(rates) else ""
    made.text["variants.say"] = (
        f"No definition of recovery is accepted by all. Depending on the definition the rate "
        f"{selection.scope.words} runs {spread}."
        if spread
        else "No definition of recovery is accepted by all: these are the ones computed here."
    ) + _dependent(selection)


def _dependent(selection: Selection) -> str:
    """Name the conditions, and the clinics beside the network, of which another definition says something else."""
    published = selection.published
    if selection.care != ANY_CARE:
        return ""
    of = {place for place, rows in published.conclusions.items() if clinic_words.depends(rows)}
    if selection.clinic is not None:
        changing = [
            published.condition_in_sentence(key) for key, _ in published.conditions if (key, selection.clinic) in of
        ]
        changing += ["all conditions together"] if (None, selection.clinic) in of else []
        about = f" What is said of {selection.scope.clinic} beside the other clinics depends on it for"
        return f"{about} {clinic_words.names(changing)}." if changing else ""
    conditions = [published.condition_in_sentence(key) for key, _ in published.conditions if (key, None) in of]
    clinics = [label for key, label in published.clinics if (None, key) in of]
    text = f" Whether most recover depends on it for {clinic_words.names(conditions)}." if conditions else ""
    if clinics:
        text += f" What is said of a clinic beside the others depends on it for {clinic_words.names(clinics)}."
    return text


def _clinics(selection: Selection, made: State) -> None:
    published, meta = selection.published, selection.meta
    rows: list[completeness.ClinicRow] = []
    cells: list[list[Cell]] = []
    found = []
    for key, label in published.clinics:
        row = published.rates.get((None, key, selection.care, published.default_definition))
        known = row["completeness"] if row else None
        words = rate_words(row, meta) or NOT_KNOWN
        rows.append({"label": label, "completeness": known, "words": words, "is_selected": key == selection.clinic})
        cells.append([label, *_clinic_cells(row, meta)])
        found.append(row)
    made.plots["clinics"] = completeness.spec(rows)
    made.rows["clinics"] = cells
    below = sum(
        (whole(row["completeness"]) or 0) < COMPLETENESS_TARGET_PERCENT
        for row in rows
        if row["completeness"] is not None
    )
    total = selection.rate()
    start = sentences.missing_bounds(total) if total is not None and total["rate"] is not None else ""
    hidden = sentences.hidden_groups(found, "clinic is", "clinics are", meta)
    shown = sum(row["completeness"] is not None for row in rows)
    made.text["clinics.say"] = (
        f"{start} {below} of {plural(shown, 'clinic')} lie below the target of {COMPLETENESS_TARGET_PERCENT}%.{hidden}"
    )


def _clinic_cells(row: Row | None, meta: SiteMeta) -> list[Any]:
    if row is None:
        return [0, None, None, None, None]
    if row["suppressed"]:
        return [meta.hidden, *["not shown"] * 4]
    bounds = [whole(row["rate_if_missing_none"]), whole(row["rate_if_missing_all"])]
    return [row["eligible"], row["n"], whole(row["completeness"]), *bounds]


def _reasons(selection: Selection, made: State) -> None:
    meta = selection.meta
    rows = selection.published.reasons.get(selection.clinic, [])
    bars: list[count_bars.CountRow] = []
    cells: list[list[Cell]] = []
    for row in rows:
        label = unknown_reason_label(row["reason"])
        role = "not counted in the rate" if row["reason"] in OUTSIDE_THE_RATE else "outcome unknown"
        hidden = row["episodes"] is None
        bars.append({"label": label, "note": role, "value": row["episodes"], "words": meta.too_few if hidden else ""})
        cells.append([label, role, meta.hidden if hidden else row["episodes"], None if hidden else whole(row["share"])])
    made.plots["reasons"] = count_bars.spec(bars, "Episodes") if bars else None
    made.rows["reasons"] = cells
    made.text["reasons.none"] = "" if bars else "No episode lacks an outcome."
    everywhere = sentences.Scope(selection.scope.clinic, ANY_CARE, selection.scope.clinics)
    made.text["reasons.say"] = (
        f"Episodes without a known outcome {everywhere.words}, whatever the care. "
        "An unknown outcome is never counted as not recovered."
    )
