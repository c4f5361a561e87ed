"""Cards of the page of clinics in which all stand beside each other: funnels, and how far they can be told apart.

What they show is the same for every clinic; the chosen one is marked in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.definitions import COMPARISON_FLOOR_PERCENT
from dashboards import clinic_words as say
from dashboards.figures import funnel, recovery_dot
from dashboards.figures.build import selected_row
from dashboards.pages.clinic_frames import RECOVERED
from dashboards.pages.clinic_selection import HIDDEN, MOST_ROWS, drill, scaled
from dashboards.pages.funnel_rows import funnel_centre, funnel_lines, funnel_point, funnel_points
from dashboards.pages.parts import Card, Column, Key, Table
from dashboards.words import DOT, count, decimal, percent, plural, rounded, whole

if TYPE_CHECKING:
    from dashboards.figures.build import Spec
    from dashboards.pages.clinic_selection import Selection
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Cell, State
    from dashboards.published import Row

CLINIC_COLUMN = Column("Clinic", "drill:clinic")
WRITTEN = 0
"""Rows of a table below a chart that stand in the page itself: the engine writes them."""
FUNNEL_AXES = ("Episodes with a known outcome", "Ended in recovery")
PAIN_AXES = ("Episodes with two comparable scores", "Mean fall in pain, points of 0 to 10")
FUNNEL_KEYS = (
    Key("hollow", "clinic, as expected", when="funnel"),
    Key("above", "above the limits (hollow: possibly)", when="funnel"),
    Key("below", "below the limits (hollow: possibly)", when="funnel"),
    Key("centre", "all clinics", when="funnel"),
    Key("dashed", "95% limits", when="funnel"),
    Key("dotted", "99.8% limits", when="funnel"),
    Key("not-run", "95% range by chance alone", when="chance"),
)


def _limits(kind: str) -> tuple[Column, ...]:
    return tuple(Column(f"{level} limits {end}", kind) for level in ("95%", "99.8%") for end in ("low", "high"))


FUNNEL = Card(
    "funnel",
    "How does the clinic compare?",
    12,
    "Each mark is a clinic. The lines are the limits within which 95% and 99.8% of clinics of that size would lie if "
    "all had the same true rate; where clinics vary more than chance explains, they are widened by the variation "
    "between them, and the grey band is the 95% range by chance alone. Outside the limits, look for a reason first: "
    f"data quality, then case mix, then care. With under {COMPARISON_FLOOR_PERCENT}% of outcomes known a clinic is not "
    "compared. Adjusted columns count the first episode of each patient only. This is no ranking.",
    Table(
        "funnel",
        "Clinics beside the range expected for their size",
        (
            CLINIC_COLUMN,
            Column("Known outcomes", "int"),
            Column("Recovered", "pct"),
            *_limits("pct"),
            Column("Against the network"),
            Column("Outcome known", "pct"),
            Column("Adjusted: observed", "pct"),
            Column("Adjusted: expected", "pct"),
            Column("Observed less expected, points", "dec1"),
            Column("After adjustment"),
            Column("Depends on the definition"),
        ),
        written=0,
    ),
    keys=FUNNEL_KEYS,
    passport="clinic_funnel",
)
PAIN_FUNNEL = Card(
    "painfall",
    "How far does pain fall, by clinic?",
    5,
    "The same chart for the mean fall in pain from the first to the last score. Pain falls in part because patients "
    "come when it is worst: this is not the effect of a treatment.",
    Table(
        "painfall",
        "Fall in pain beside the range expected for the size",
        (
            CLINIC_COLUMN,
            Column("Pairs of scores", "int"),
            Column("Mean fall", "dec1"),
            *_limits("dec1"),
            Column("Against the network"),
        ),
        written=WRITTEN,
    ),
    passport="clinic_funnel",
)
TOLD = Card(
    "told",
    "How far can clinics be told apart?",
    6,
    "The dot is the best guess of a clinic's true rate: its own, pulled towards all clinics the more, the fewer "
    "episodes it has. Two clinics whose lines overlap much cannot be told apart. The chance of lying in the best or "
    "the worst quarter says how uncertain any order would be; it is a probability, not a place. Reliability is the "
    "share of the differences seen that is true difference.",
    Table(
        "told",
        "Clinics' own rates, and the best guess of their true rates",
        (
            CLINIC_COLUMN,
            Column("Known outcomes", "int"),
            Column("Own rate", "pct"),
            Column("Best guess", "pct"),
            Column("95% interval low", "pct"),
            Column("95% interval high", "pct"),
            Column("Chance of the best quarter", "pct"),
            Column("Chance of the worst quarter", "pct"),
            Column("Can be told apart from"),
        ),
        written=WRITTEN,
    ),
    keys=(Key("dot", "best guess, with 95% interval", when="told"), Key("dotted", "all clinics", when="told")),
    passport="clinic_shrunken",
)
SPREAD = Table("spread", "Variation between clinics", (Column("What"), Column("Value")))


# ---- the same for every clinic -------------------------------------------------------------------


def fill(selection: Selection, made: State) -> None:
    """Add what the cards show for a condition."""
    _funnel(selection, made)
    _pain(selection, made)
    _told(selection, made)


def _funnel(selection: Selection, made: State) -> None:
    frames = selection.frames
    rows = selection.of(frames.funnel)
    points = funnel_points(rows)
    lines = funnel_lines(frames.lines.get(selection.condition, []))
    spec = funnel.spec(points, lines, funnel_centre(rows), FUNNEL_AXES, is_share=True, drill="clinic")
    made.plots["funnel"] = spec if points else None
    made.text["funnel.none"] = "" if points else f"No clinic can be compared for {selection.condition_words}."
    made.text["funnel.say"] = say.funnel_sentence([(label, row) for _, label, row in rows], selection.meta)
    made.rows["funnel"] = [[drill(key, label), *_funnel_cells(selection, key, row)] for key, label, row in rows]
    if not points:
        made.hide.append("funnel")
    if not any(line["chance_low"] is not None for line in lines):
        made.hide.append("chance")


def _funnel_cells(selection: Selection, clinic: str, row: Row | None) -> list[Cell]:
    reason = say.not_compared(row, selection.meta)
    if row is None:
        return [0, *[None] * 5, reason, None, *[None] * 4, None]
    if row["suppressed"]:
        return [selection.meta.hidden, *[HIDDEN] * 5, reason, HIDDEN, *[HIDDEN] * 4, HIDDEN]
    limits = [whole(row[name]) for name in ("low_95", "high_95", "low_998", "high_998")]
    adjusted = selection.frames.adjusted.get((selection.condition, clinic, RECOVERED))
    conclusions = selection.conclusions_of(clinic)
    return [
        row["n"],
        whole(row["value"]),
        *limits,
        f"Not compared: {reason}" if reason else say.zone_words(row["zone"]),
        whole(row["completeness"]),
        *observed_cells(selection, adjusted),
        ("Yes" if say.depends(conclusions) else "No") if conclusions and not reason else None,
    ]


def observed_cells(selection: Selection, row: Row | None) -> list[Cell]:
    """Observed, expected, their difference, and the place after adjustment."""
    if row is None:
        return [None, None, None, None]
    if row["suppressed"]:
        return [*[HIDDEN] * 3, selection.meta.too_few]
    return [
        whole(row["observed"]),
        whole(row["expected"]),
        scaled(row["difference"], 100),
        say.zone_words(row["zone"]) if row["zone"] else say.model_reason(row["reason"]),
    ]


def _pain(selection: Selection, made: State) -> None:
    frames = selection.frames
    rows = selection.of(frames.pain_funnel)
    points = funnel_points(rows)
    lines = funnel_lines(frames.pain_lines.get(selection.condition, []))
    spec = funnel.spec(points, lines, funnel_centre(rows), PAIN_AXES, is_share=False, drill="clinic")
    made.plots["painfall"] = spec if points else None
    made.text["painfall.none"] = "" if points else f"No clinic can be compared for {selection.condition_words}."
    made.text["painfall.say"] = say.zones_sentence([(label, row) for _, label, row in rows])
    made.rows["painfall"] = [[drill(key, label), *_pain_cells(row, selection.meta)] for key, label, row in rows]


def _pain_cells(row: Row | None, meta: SiteMeta) -> list[Cell]:
    reason = say.not_compared(row, meta)
    if row is None:
        return [0, *[None] * 5, reason]
    if row["suppressed"]:
        return [meta.hidden, *[HIDDEN] * 5, reason]
    names = ("value", "low_95", "high_95", "low_998", "high_998")
    place = f"Not compared: {reason}" if reason else say.zone_words(row["zone"])
    return [row["n"], *(rounded(row[name]) for name in names), place]


def _told(selection: Selection, made: State) -> None:
    frames = selection.frames
    rows = selection.of(frames.shrunken)
    dots = [_shrunken_dot(selection, label, row) for _, label, row in rows]
    centre = funnel_centre(selection.of(frames.funnel))
    is_known = any(dot["rate"] is not None for dot in dots)
    is_drawn = is_known and len(dots) <= MOST_ROWS
    made.plots["told"] = marked(recovery_dot.spec(dots, FUNNEL_AXES[1], centre), None) if is_drawn else None
    if is_known:
        made.text["told.none"] = "" if is_drawn else too_many_rows(len(dots))
    else:
        few = f"Too few clinics can be compared for {selection.condition_words} to estimate their true rates."
        made.text["told.none"] = few
    made.text["told.say"] = say.spread_sentence(frames.spread.get(selection.condition))
    made.rows["told"] = [[drill(key, label), *_shrunken_cells(selection, row)] for key, label, row in rows]
    made.rows["spread"] = _spread_rows(frames.spread.get(selection.condition))
    if not made.rows["spread"]:
        made.hide.append("spread")
    if not is_drawn:
        made.hide.append("told")


def too_many_rows(clinics: int) -> str:
    """Why a chart with a row for each clinic is not drawn."""
    return (
        f"A chart with a row for each of {clinics} clinics would be too long to read: the numbers stand in the table."
    )


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


# ---- the chosen clinic ---------------------------------------------------------------------------


def choose(selection: Selection, shared: State, base: dict[str, Spec], made: State) -> None:
    """Mark the clinic in the charts of all.

    Figures travel as differences to those of the page (``base``), and the chosen clinic on top of what is ``shared``
    by all clinics: so that only the mark travels, it is set into the figure of the page.
    """
    frames = selection.frames
    for card, rows, is_share in (("funnel", frames.funnel, True), ("painfall", frames.pain_funnel, False)):
        spec = shared.plots[card]
        point = funnel_point(selection.clinic or "", selection.label, rows.get(selection.place))
        if spec is not None and point is not None:
            chosen = funnel.with_chosen(spec, point, is_share=is_share)["data"][-1]
            made.plots[card] = {**base[card], "data": [*base[card]["data"][:-1], chosen]}
    mark_row(selection, "told", shared, base, made)


def mark_row(selection: Selection, card: str, shared: State, base: dict[str, Spec], made: State) -> None:
    """Mark the row of the clinic in a chart that has one for each."""
    if shared.plots[card] is not None:
        keys = [key for key, _ in selection.clinics]
        made.plots[card] = marked(base[card], keys.index(selection.clinic or ""))


def marked(spec: Spec, position: int | None) -> Spec:
    """Return a figure of rows with one of them marked, if any."""
    return {**spec, "layout": {**spec["layout"], "shapes": [selected_row(position)]}}
