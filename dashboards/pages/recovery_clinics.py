"""The cards of the page on recovery that list clinics: the funnel, and how complete outcomes are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.definitions import COMPLETENESS_TARGET_PERCENT
from dashboards import clinic_words, sentences
from dashboards.figures import completeness, count_bars, funnel
from dashboards.markup import clean
from dashboards.pages.funnel_rows import funnel_centre, funnel_lines, funnel_point, funnel_points
from dashboards.pages.parts import State
from dashboards.pages.rate_rows import HIDDEN, NOT_KNOWN, rate_words
from dashboards.words import plural, whole

if TYPE_CHECKING:
    from dashboards.figures.build import Spec
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Cell
    from dashboards.pages.recovery_frames import RecoveryFrames
    from dashboards.pages.recovery_state import Selection
    from dashboards.published import Row

FUNNEL_AXES = ("Episodes with a known outcome", "Ended in recovery")
MOST_CLINICS = 24
"""With more clinics than this, a chart with a row for each is not read any more: clinics are counted by share."""
BANDS = ((90, 100), (80, 89), (70, 79), (60, 69), (0, 59))
"""Whole percent of known outcomes, both ends included."""


def funnel_part(chosen: Selection) -> State:
    """Clinics beside the range expected for their size, for one condition; any care, all years."""
    made, meta = State(), chosen.meta
    named = {key for key, _ in chosen.published.clinics}
    clinics = [*chosen.published.clinics, *chosen.published.peers]
    rows = [(key, label, chosen.frames.funnel.get((chosen.condition, key))) for key, label in clinics]
    points = funnel_points(rows)
    lines = funnel_lines(chosen.frames.lines.get(chosen.condition, []))
    made.plots["funnel"] = (
        funnel.spec(points, lines, funnel_centre(rows), FUNNEL_AXES, is_share=True, drill="clinic") if points else None
    )
    condition = chosen.scope.condition or "all conditions together"
    made.text["funnel.none"] = "" if points else f"No clinic can be compared for {condition}."
    said = clinic_words.funnel_sentence([(label, row) for _, label, row in rows], meta)
    made.text["funnel.say"] = f"{condition[:1].upper()}{condition[1:]}, any care, all years: {said}"
    if not is_listed(chosen.frames):
        rows = [
            item for item in rows if item[2] is not None and item[2]["zone"] not in (None, clinic_words.AS_EXPECTED)
        ]
        made.text["funnel.say"] += " The table lists those outside the 95% limits; all are on the page Clinics."
    made.rows["funnel"] = [
        [[clean(key), label] if key in named else label, *_funnel_cells(row, meta)] for key, label, row in rows
    ]
    if not points:
        made.hide.append("funnel")
    if not any(line["chance_low"] is not None for line in lines):
        made.hide.append("chance")
    return made


def chosen_mark(chosen: Selection, spec: Spec | None) -> Spec | None:
    """Return the trace that draws the chosen clinic on top of a funnel; None where it has no place in it."""
    row = chosen.frames.funnel.get((chosen.condition, chosen.clinic))
    point = funnel_point(chosen.clinic or "", chosen.scope.clinic or "", row)
    if spec is None or point is None:
        return None
    trace: Spec = funnel.with_chosen(spec, point, is_share=True)["data"][-1]
    return trace


def _funnel_cells(row: Row | None, meta: SiteMeta) -> list[Cell]:
    reason = clinic_words.not_compared(row, meta)
    if row is None:
        return [0, *[None] * 6, reason]
    if row["suppressed"]:
        return [meta.hidden, *[HIDDEN] * 6, reason]
    limits = [whole(row[name]) for name in ("low_95", "high_95", "low_998", "high_998")]
    place = f"Not compared: {reason}" if reason else clinic_words.zone_words(row["zone"])
    return [
        meta.hidden if row["n"] is None else row["n"],
        whole(row["value"]),
        *limits,
        whole(row["completeness"]),
        place,
    ]


def completeness_part(chosen: Selection) -> State:
    """How complete outcomes are, clinic by clinic, all conditions together."""
    made, meta = State(), chosen.meta
    rows: list[completeness.ClinicRow] = []
    cells: list[list[Cell]] = []
    found = []
    for key, label in chosen.published.clinics:
        row = chosen.frames.rates.get((None, key, chosen.care, chosen.period, chosen.published.default_definition))
        share = row["completeness"] if row else None
        words = rate_words(row, meta) or NOT_KNOWN
        rows.append({"label": label, "completeness": share, "words": words, "is_selected": False})
        cells.append([[clean(key), label], *_clinic_cells(row, meta)])
        found.append(row)
    made.plots["clinics"] = _choosable(rows, chosen) if is_listed(chosen.frames) else _counted(rows)
    made.rows["clinics"] = cells
    shares = [whole(row["completeness"]) or 0 for row in rows if row["completeness"] is not None]
    below = sum(share < COMPLETENESS_TARGET_PERCENT for share in shares)
    total = chosen.rate(None, network=True)
    start = sentences.missing_bounds(total) if total is not None and total["completeness"] is not None else ""
    hidden = sentences.hidden_groups(found, "clinic is", "clinics are", meta)
    where = chosen.scope.words[:1].upper() + chosen.scope.words[1:]
    where += "" if is_listed(chosen.frames) else ", any care"
    lie = "lies" if below == 1 else "lie"
    made.text["clinics.say"] = (
        f"{where}, all conditions together. {start} {below} of {plural(len(shares), 'clinic')} {lie} below the target "
        f"of {COMPLETENESS_TARGET_PERCENT}%.{hidden}"
    )
    return made


def is_listed(frames: RecoveryFrames) -> bool:
    """Whether charts and tables have a row for each clinic, whatever is chosen."""
    return len(frames.published.clinics) <= MOST_CLINICS


def completeness_by(frames: RecoveryFrames) -> tuple[str, ...]:
    """What the card on completeness is told apart by; a table of very many clinics only by year."""
    return ("period", "care") if is_listed(frames) else ("period",)


def _choosable(rows: list[completeness.ClinicRow], chosen: Selection) -> Spec:
    spec = completeness.spec(rows)
    keys = [clean(key) for key, _ in chosen.published.clinics]
    for trace in spec["data"]:
        if "markers" in trace["mode"]:
            trace |= {"customdata": [keys[place] for place in trace["y"]], "meta": {"drill": "clinic"}}
    return spec


def _counted(rows: list[completeness.ClinicRow]) -> Spec:
    """Return how many clinics know how much."""
    bars: list[count_bars.CountRow] = []
    shares = [whole(row["completeness"]) for row in rows]
    for low, high in BANDS:
        number = sum(share is not None and low <= share <= high for share in shares)
        note = "on target" if low >= COMPLETENESS_TARGET_PERCENT else "below target"
        bars.append({"label": f"{low} to {high}% known", "note": note, "value": number, "words": ""})
    bars.append({"label": "Not shown", "note": "too few episodes", "value": shares.count(None), "words": ""})
    return count_bars.spec(bars, "Clinics")


def _clinic_cells(row: Row | None, meta: SiteMeta) -> list[Cell]:
    if row is None:
        return [0, None, None, None, None]
    if row["suppressed"]:
        return [meta.hidden, *[HIDDEN] * 4]
    bounds = [whole(row["rate_if_missing_none"]), whole(row["rate_if_missing_all"])]
    sizes: list[Cell] = [meta.hidden if row[name] is None else row[name] for name in ("eligible", "n")]
    return [*sizes, whole(row["completeness"]), *bounds]
