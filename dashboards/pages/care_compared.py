"""Two ways of care side by side: as recorded, after adjustment, and whether the groups can be compared at all.

Care was chosen, not assigned. An adjusted number is shown only where every diagnostic passed; else the words of the
one that failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assets.contract import contrasts, definitions
from dashboards.care_words import covariate_label, groups_of, in_order, short_verdict, verdict
from dashboards.figures import balance, care_pair, interval_dot
from dashboards.markup import clean
from dashboards.pages.parts import Card, Column, Key, State, Table
from dashboards.words import DASH, count, decimal, improvement_label, percent, rounded, spoken, tenth, whole

if TYPE_CHECKING:
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Cell
    from dashboards.published import Published, Row

OUTCOMES = ("recovered", "responder_mcid", "pain_change")
POINTS = "pain_change"
"""Outcome in points of 0 to 10; the others are shares."""
SCALE_POINTS = 10
MOST_COVARIATES = 16
"""More rows than this make the chart of balance unreadable; the table has all."""
NO_CAUSE = "This cannot show that needling caused a difference."

COMPARED = Card(
    "compared",
    "With and without dry needling",
    7,
    "Filled circle: patients who received needling. Hollow diamond: those who did not. Both as recorded, by what was "
    f"received by day {definitions.LANDMARK_DAY}, the first closed episode of each patient only, still in care on that "
    "day. Nothing is adjusted here: patients who received needling differed from the others before they were treated. "
    "n is the number of patients with a known outcome; the share without one stands in the table.",
    Table(
        "compared",
        "Outcomes as recorded, not adjusted",
        (
            Column("Condition"),
            Column("With needling: patients", "int"),
            Column("Outcome unknown", "pct"),
            Column("Outcome", "int"),
            Column("Without: patients", "int"),
            Column("Outcome unknown", "pct"),
            Column("Outcome", "int"),
        ),
        written=1,
    ),
    keys=(Key("dot", "with needling"), Key("diamond", "without needling")),
)
ADJUSTED = Card(
    "adjusted",
    "And after adjustment?",
    5,
    "Difference after weighting patients so that both groups were alike in what was recorded before treatment (overlap "
    "weights), with its 95% interval; right of zero: more with needling. What was not recorded cannot be adjusted "
    "for. A number is shown only if each group has an effective size (unweighted patients that the weighted ones are "
    f"worth) of {contrasts.SMALLEST_EFFECTIVE_SIZE}, no standardised difference reaches {contrasts.LARGEST_SMD} after "
    f"weighting, and {contrasts.SMALLEST_EQUIPOISE:.0%} of patients might well have been in either group (equipoise). "
    "q: false discovery rate over all comparisons shown, since some differ by chance alone. Squares and products: "
    "terms not in the model. E-value: how strongly something unrecorded would have to go with both care and outcome to "
    "account for the difference; in brackets for the end of the interval.",
    Table(
        "adjusted",
        "Difference after adjustment, or the diagnostic that failed",
        (
            Column("Condition"),
            Column("Difference"),
            Column("95% CI", "int"),
            Column("q", "int"),
            Column("Analysed", "int"),
            Column("Effective size", "int"),
            Column("Largest difference before", "dec2"),
            Column("After", "dec2"),
            Column("Squares and products", "dec2"),
            Column("Equipoise", "pct"),
            Column("Clinics left out", "int"),
            Column("Patients left out", "int"),
            Column("E-value", "int"),
        ),
        written=1,
    ),
    keys=(Key("dot", "adjusted difference, with 95% interval"),),
)
BALANCE = Card(
    "balance",
    "Were the groups alike before treatment?",
    5,
    "One row for each trait: hollow, how far the groups differed as they are; filled, after weighting. Dashed lines: "
    f"the limit of {contrasts.LARGEST_SMD}. The chart has traits that differed by at least the limit before weighting, "
    f"at most {MOST_COVARIATES}; the table has all, shares as parts of 1. All conditions together, patients whose "
    "recovery is known.",
    Table(
        "balance",
        "Traits of both groups before treatment",
        (
            Column("Trait"),
            Column("With needling", "dec2"),
            Column("Without", "dec2"),
            Column("Difference before", "dec2"),
            Column("With, weighted", "dec2"),
            Column("Without, weighted", "dec2"),
            Column("Difference after", "dec2"),
        ),
        written=1,
    ),
    keys=(Key("hollow", "as they are"), Key("dot", "after weighting"), Key("dashed grey", "limit")),
)
CARDS = (COMPARED, ADJUSTED, BALANCE)


@dataclass(frozen=True)
class Compared:
    """Published comparisons, indexed, with what is needed to describe them."""

    published: Published
    meta: SiteMeta
    rows: dict[tuple[Any, ...], Row]

    @classmethod
    def of(cls, published: Published, meta: SiteMeta) -> Compared:
        """Index the frame; comparisons of a feed without routine care are left out."""
        rows = published.rows("care_comparison")
        return cls(published, meta, {(row["contrast_id"], row["outcome_id"], row["condition_id"]): row for row in rows})

    @property
    def contrasts(self) -> list[tuple[str, str]]:
        """Key and label of the comparisons in which at least one group has patients, in the contract's order."""
        filled = {key[0] for key, row in self.rows.items() if row["suppressed"] or row["n_treated"] or row["n_control"]}
        labels = {row["contrast_id"]: clean(row["label"]) for row in self.published.rows("contrast")}
        order = {item.contrast_id: item.label for item in contrasts.CONTRASTS}
        return [(key, labels.get(key, order.get(key, spoken(key)))) for key in in_order(order, filled)]

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """Key and label of the outcomes."""
        labels = {
            "recovered": "Recovered",
            "responder_mcid": improvement_label(self.published.contract),
            POINTS: "Fall in pain, points of 0 to 10",
        }
        present = {key[1] for key in self.rows}
        return [(key, labels[key]) for key in OUTCOMES if key in present]

    def state(self, contrast_id: str, outcome_id: str) -> State:
        """Return all texts, figures and rows of one comparison and outcome."""
        made = State()
        present = {key[2] for key in self.rows if key[:2] == (contrast_id, outcome_id)}
        listed = [(None, "All conditions"), *self.published.conditions]
        rows = [(label, self.rows.get((contrast_id, outcome_id, key))) for key, label in listed if key in present]
        self._recorded(made, rows, groups_of(contrast_id), outcome_id)
        self._adjusted(made, rows, outcome_id)
        self._balance(made, contrast_id)
        return made

    def _recorded(self, made: State, rows: list[tuple[str, Row | None]], groups: tuple[str, str], outcome: str) -> None:
        is_points = outcome == POINTS
        one, other = groups
        made.text["compared.say"] = f"Circle: {_inside(one)}. Diamond: {_inside(other)}. As recorded, not adjusted."
        made.plots["compared"] = care_pair.spec(
            [self._pair(label, row, is_points=is_points) for label, row in rows],
            dict(self.outcomes)[outcome],
            "" if is_points else "%",
            SCALE_POINTS if is_points else 100,
        )
        made.rows["compared"] = [[label, *self._recorded_cells(row, outcome)] for label, row in rows]
        made.text["lead.strong"], made.text["lead.rest"] = self._lead(rows[0][1] if rows else None, groups, outcome)

    def _lead(self, row: Row | None, groups: tuple[str, str], outcome: str) -> tuple[str, str]:
        if row is None or row["suppressed"]:
            return "Too few patients to compare", f": {self.meta.too_few_patients}."
        one, other = (_inside(group) for group in groups)
        if row["treated_mean"] is None or row["control_mean"] is None:
            return "Nothing to compare", f": no patient with a known outcome {one}, or none {other}."
        what = {"recovered": "Recovered", POINTS: "Pain fell by"}.get(outcome, dict(self.outcomes)[outcome])
        strong = (
            f"{what}{'' if outcome == POINTS else ':'} {_value(row['treated_mean'], outcome)} {one} and "
            f"{_value(row['control_mean'], outcome)} {other}"
        )
        recorded = (
            f" as recorded ({count(row['n_treated'])} and {count(row['n_control'])} patients; outcome unknown for "
            f"{percent(row['unknown_treated'])} and {percent(row['unknown_control'])}). "
        )
        return strong, recorded + self._after(row, outcome)

    def _after(self, row: Row, outcome: str) -> str:
        why = verdict(row, self.meta)
        if why or row["adjusted_difference"] is None:
            return f"After adjustment: {(why or DASH)[:1].lower()}{(why or DASH)[1:]}."
        return (
            f"After adjustment for what was recorded before treatment the difference was "
            f"{_difference(row['adjusted_difference'], outcome)} {_unit(outcome)} "
            f"(95% CI {_bounds(row, outcome)}). {NO_CAUSE}"
        )

    def _pair(self, label: str, row: Row | None, *, is_points: bool) -> care_pair.PairRow:
        size = "" if row is None or row["suppressed"] else f"n {count(row['n_treated'])} and {count(row['n_control'])}"
        get = row or {}
        place = rounded if is_points else whole
        return {
            "label": label,
            "note": size,
            "treated": place(get.get("treated_mean")),
            "control": place(get.get("control_mean")),
            "words": self._words(row),
        }

    def _words(self, row: Row | None) -> str:
        if row is None or row["suppressed"]:
            return self.meta.too_few_patients
        return "no known outcome in a group" if None in (row["treated_mean"], row["control_mean"]) else ""

    def _recorded_cells(self, row: Row | None, outcome: str) -> list[Cell]:
        if row is None or row["suppressed"]:
            return [self.meta.hidden, *["not shown"] * 2] * 2
        return [
            *(row["n_treated"], whole(row["unknown_treated"]), _value(row["treated_mean"], outcome)),
            *(row["n_control"], whole(row["unknown_control"]), _value(row["control_mean"], outcome)),
        ]

    def _adjusted(self, made: State, rows: list[tuple[str, Row | None]], outcome: str) -> None:
        shown = sum(row is not None and row["adjusted_difference"] is not None for _, row in rows)
        made.text["adjusted.say"] = _how_many_shown(shown, len(rows))
        marks = [_interval_row(label, row, outcome, short_verdict(row, self.meta)) for label, row in rows]
        axis = f"Difference in {'points' if outcome == POINTS else 'percentage points'}, adjusted"
        made.plots["adjusted"] = interval_dot.spec(marks, axis)
        made.rows["adjusted"] = [[label, *self._adjusted_cells(row, outcome)] for label, row in rows]

    def _adjusted_cells(self, row: Row | None, outcome: str) -> list[Cell]:
        why = verdict(row, self.meta)
        if row is None or row["suppressed"]:
            return [why, DASH, DASH, "not shown", *[None] * 8]
        shown = [_difference(row["adjusted_difference"], outcome), _bounds(row, outcome)]
        e_value = DASH if row["e_value"] is None else f"{decimal(row['e_value'])} ({decimal(row['e_value_limit'])})"
        left_out = row["patients_left_out"]
        return [
            *([why, DASH] if why else shown),
            DASH if row["q_value"] is None else f"{row['q_value']:.3f}",
            _both(count(row["analysed_treated"]), count(row["analysed_control"])),
            _both(decimal(row["effective_treated"], 0), decimal(row["effective_control"], 0)),
            *(rounded(row[name], 2) for name in ("max_smd_before", "max_smd_after", "max_smd_beyond")),
            whole(row["equipoise"]),
            row["clinics_left_out"],
            self.meta.hidden if left_out is None else left_out,
            e_value,
        ]

    def _balance(self, made: State, contrast_id: str) -> None:
        rows = [row for row in self.published.rows("care_balance") if row["contrast_id"] == contrast_id]
        labels = dict(self.published.conditions)
        clinics = dict(self.published.clinics)
        named = sorted(
            ((_trait(row["covariate"], labels, clinics), row) for row in rows if not row["suppressed"]),
            key=lambda item: ("=" in item[1]["covariate"], item[0]),
        )
        differing = [(label, row) for label, row in named if abs(row["smd_before"] or 0) >= contrasts.LARGEST_SMD]
        made.text["balance.say"] = (
            f"{len(differing)} of {len(named)} traits differed by {contrasts.LARGEST_SMD} standard deviations or more "
            "before weighting."
            if named
            else ""
        )
        made.text["balance.none"] = "" if differing else _no_balance(is_known=bool(named))
        marks: list[balance.BalanceRow] = [
            {"label": label, "before": row["smd_before"], "after": row["smd_after"]} for label, row in differing
        ]
        made.plots["balance"] = balance.spec(marks[:MOST_COVARIATES]) if marks else None
        names = ("treated_before", "control_before", "smd_before", "treated_after", "control_after", "smd_after")
        made.rows["balance"] = [[label, *(_in_unit(row, name) for name in names)] for label, row in named]


def _how_many_shown(shown: int, rows: int) -> str:
    if shown == 0:
        return "No adjusted number is shown: in no row can the groups be compared."
    if shown < rows:
        return f"Shown for {shown} of {rows} comparisons; in the others the groups cannot be compared."
    return "The groups can be compared in every row, as far as they are recorded."


def _no_balance(*, is_known: bool) -> str:
    if is_known:
        return "No trait differed by as much as the limit before weighting. The table has all."
    return "Too few patients could be weighted: nothing to show for all conditions together."


def _in_unit(row: Row, name: str) -> float | None:
    """Return a number of a covariate, thousandths in percent."""
    is_permille = row["covariate"].endswith("_permille") and not name.startswith("smd")
    return None if row[name] is None else rounded(row[name] / (10 if is_permille else 1), 2)


def _trait(covariate: str, conditions: dict[str, str], clinics: dict[str, str]) -> str:
    name, _, level = covariate.partition("=")
    if name == "clinic_key" and level in clinics:
        return f"Clinic: {clinics[level]}"
    return covariate_label(covariate, conditions)


def _inside(group: str) -> str:
    return group[:1].lower() + group[1:]


def _value(mean: float | None, outcome: str) -> str:
    return percent(mean) if outcome != POINTS else f"{decimal(mean)} points"


def _unit(outcome: str) -> str:
    return "points of 0 to 10" if outcome == POINTS else "percentage points"


def _difference(value: float | None, outcome: str) -> str:
    """Return a difference with its sign, in points or percentage points."""
    if value is None:
        return DASH
    text = decimal(value if outcome == POINTS else 100 * value)
    return text if text.startswith("\N{MINUS SIGN}") or not text.strip("0.") else f"+{text}"


def _bounds(row: Row, outcome: str) -> str:
    return f"{_difference(row['adjusted_low'], outcome)} to {_difference(row['adjusted_high'], outcome)}"


def _interval_row(label: str, row: Row | None, outcome: str, words: str) -> interval_dot.IntervalRow:
    get = row or {}
    place = rounded if outcome == POINTS else tenth
    value = get.get("adjusted_difference")
    return {
        "label": label,
        "note": "",
        "value": place(value),
        "low": place(get.get("adjusted_low")),
        "high": place(get.get("adjusted_high")),
        "text": _difference(value, outcome),
        "words": words,
    }


def _both(one: str, other: str) -> str:
    return DASH if one == other == DASH else f"{one} and {other}"
