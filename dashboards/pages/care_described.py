"""What care consists of and who comes: kinds of treatment, twitch, groups of patients, regression to the mean.

Everything as recorded. Nothing here is adjusted, and nothing is compared in words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.care_words import SUBGROUPS, TREATMENTS, TWITCH, TWITCH_TIMES, in_order, label_of
from dashboards.figures import interval_dot, recovery_dot, share_bars
from dashboards.pages.filled import filled
from dashboards.pages.parts import Card, Column, Key, Table
from dashboards.words import DOT, count, decimal, listing, percent, plural, rounded, whole

if TYPE_CHECKING:
    from dashboards.pages.filled import Filled
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Cell
    from dashboards.published import Published, Row

NEEDLING = "dry_needling"
DIMENSIONS = {"population": "Group of patients", "symptom_duration": "How long symptoms had lasted"}
HYPOTHESIS = (
    "Whether a local twitch response matters is a hypothesis: a review of 2017 did not find it necessary. It is no "
    "measure of quality. Not adjusted for anything."
)

MIX = Card(
    "mix",
    "What goes with needling?",
    7,
    "Bar: share of the needled episodes that also received this kind of treatment, at any visit. Line: the same of all "
    "episodes. Kinds overlap, so shares add up to more than 100%. Needling is rarely alone: no outcome of a needled "
    "episode belongs to the needle only.",
    Table(
        "mix",
        "Kinds of treatment",
        (
            Column("Treatment"),
            Column("Needled episodes", "int"),
            Column("With it", "int"),
            Column("Share", "pct"),
            Column("All episodes", "int"),
            Column("With it", "int"),
            Column("Share", "pct"),
        ),
        written=1,
    ),
    keys=(Key("filled", "needled episodes"), Key("tick", "all episodes")),
)
TWITCH_CARD = Card(
    "twitch",
    "Local twitch response: recorded yes, no or not recorded",
    5,
    "Mean fall in pain (points of 0 to 10) with its 95% interval, which takes sessions of one patient to be alike. "
    "After the session: from that day's score to the next within 10 days, by the answer of that session. At discharge: "
    "from the first score to the last, by yes at any session; longer care has more chances of a yes, so the two times "
    f"answer different questions. {HYPOTHESIS}",
    Table(
        "twitch",
        "Fall in pain by local twitch response",
        (
            Column("Time"),
            Column("Twitch"),
            Column("Patients", "int"),
            Column("Sessions or episodes", "int"),
            Column("With both scores", "int"),
            Column("Complete", "pct"),
            Column("Pain before", "dec1"),
            Column("Mean fall", "dec2"),
            Column("95% CI low", "dec2"),
            Column("95% CI high", "dec2"),
        ),
        grouped=True,
        written=1,
    ),
    keys=(Key("dot", "mean fall in pain, with 95% interval"),),
)
WHO_COLUMNS = (
    Column("Episodes", "int"),
    Column("Known outcomes", "int"),
    Column("Outcome known", "pct"),
    Column("Recovered", "pct"),
    Column("95% CI low", "pct"),
    Column("95% CI high", "pct"),
    Column("If no other recovered", "pct"),
    Column("If all others recovered", "pct"),
    Column("Pain at first", "dec1"),
    Column("Mean fall in pain", "dec1"),
)
WHO_READ = (
    "The dot is the share of closed episodes with a known outcome that ended in recovery, with its 95% interval. "
    "'Known' is the share of closed episodes whose outcome is known; the table says what the rate would be if none, or "
    "all, of the others had recovered. Groups differ in more than their name: age, condition, how long it has lasted."
)
WHO = Card(
    "who",
    "Who comes: athletes, office and manual workers, new and old symptoms",
    7,
    WHO_READ,
    Table(
        "who", "Outcomes by group of patients", (Column("By"), Column("Group"), *WHO_COLUMNS), grouped=True, written=1
    ),
    keys=(Key("dot", "recovered, with 95% interval"),),
)


def care_mix(published: Published, meta: SiteMeta) -> Filled:
    """Kinds of treatment that went with needling, all conditions together."""
    rows = {row["treatment_class"]: row for row in _whole_frame(published, "care_mix")}
    kinds = [kind for kind in in_order(TREATMENTS, set(rows)) if kind != NEEDLING]
    marks: list[share_bars.ShareRow] = [
        {
            "label": label_of(TREATMENTS, kind),
            "share": rows[kind]["needled_share"],
            "wider": rows[kind]["share"],
            "words": _why_no_share(rows[kind], meta),
        }
        for kind in kinds
    ]
    cells: list[list[Cell]] = [
        [
            label_of(TREATMENTS, kind),
            *_share_cells(rows[kind], ("needled", "needled_with_class", "needled_share"), meta),
            *_share_cells(rows[kind], ("episodes", "with_class", "share"), meta),
        ]
        for kind in kinds
    ]
    needled = max((row["needled"] or 0 for row in rows.values()), default=0)
    alone = [f"{percent(rows[kind]['needled_share'])} {label_of(TREATMENTS, kind).lower()}" for kind in kinds[:2]]
    say = (
        f"Of {plural(needled, 'needled episode')}, as recorded: {listing(alone)}."
        if needled and alone
        else "No needled episodes on record, or too few to show."
    )
    return filled(MIX, say, cells, share_bars.spec(marks, "Share of episodes"))


def twitch(published: Published, meta: SiteMeta) -> Filled:
    """Change in pain by local twitch response, immediate and at discharge apart."""
    rows = {(row["outcome"], row["twitch"]): row for row in _whole_frame(published, "twitch_outcome")}
    keys = [
        (time, answer)
        for time in in_order(TWITCH_TIMES, {key[0] for key in rows})
        for answer in in_order(TWITCH, {key[1] for key in rows})
        if (time, answer) in rows
    ]
    marks: list[interval_dot.IntervalRow] = []
    cells: list[list[Cell]] = []
    for time, answer in keys:
        row = rows[time, answer]
        hidden = row["suppressed"]
        words = (
            "" if row["change_mean"] is not None else (meta.too_few_patients if hidden else "too few with both scores")
        )
        size = meta.hidden if row["pairs"] is None else count(row["pairs"])
        marks.append(
            {
                "label": label_of(TWITCH_TIMES, time),
                "note": f"{label_of(TWITCH, answer)} {DOT} n {size}",
                "value": rounded(row["change_mean"], 2),
                "low": rounded(row["change_low"], 2),
                "high": rounded(row["change_high"], 2),
                "text": decimal(row["change_mean"], 1),
                "words": words,
            }
        )
        cells.append([label_of(TWITCH_TIMES, time), label_of(TWITCH, answer), *_twitch_cells(row, meta)])
    unrecorded = rows.get(("immediate", "not_recorded"))
    units = [rows[key]["units"] for key in keys if key[0] == "immediate"]
    say = f"A hypothesis, not adjusted. {_twitch_recorded(unrecorded, units)}" if rows else "No twitch is on record."
    return filled(TWITCH_CARD, say, cells, interval_dot.spec(marks, "Mean fall in pain, points"))


def who(published: Published, meta: SiteMeta) -> Filled:
    """Outcomes of athletes, office workers and manual workers, and by how long symptoms had lasted."""
    found = {(row["dimension"], row["subgroup"]): row for row in _whole_frame(published, "subgroup_outcome")}
    keys = [
        (dimension, group)
        for dimension, labels in SUBGROUPS.items()
        for group in in_order(labels, {key[1] for key in found if key[0] == dimension})
    ]
    marks = [_subgroup_mark(label_of(SUBGROUPS[key[0]], key[1]), found[key], meta) for key in keys]
    cells: list[list[Cell]] = [
        [DIMENSIONS[key[0]], label_of(SUBGROUPS[key[0]], key[1]), *_subgroup_cells(found[key], meta)] for key in keys
    ]
    known = [found[key]["completeness"] for key in keys if found[key]["completeness"] is not None]
    say = (
        f"As recorded, not adjusted. Outcomes are known for at least {percent(min(known))} of the closed episodes of "
        "each group shown."
        if known
        else "No outcome of any group is known, or too few to show."
    )
    return filled(WHO, say, cells, recovery_dot.spec(marks, "Recovered"))


def regression(published: Published) -> str:
    """Return how far pain falls by selection alone, beside how far it fell; empty without that frame."""
    row = next((row for row in _whole_frame(published, "regression_to_mean")), None)
    if row is None or row["expected_drop"] is None or row["selected_change_mean"] is None:
        return ""
    return (
        f"For reference: patients whose pain was {row['selection_cut']} or more at the first visit had "
        f"{decimal(row['selected_change_mean'])} points less at the last. Patients come when pain is worst, so a fall "
        f"of at least {decimal(row['expected_drop'])} points is expected without any treatment (regression to the "
        f"mean, with an assumed correlation of {row['retest_correlation']:g} between two scores)."
    )


def _whole_frame(published: Published, name: str) -> list[Row]:
    """Rows of all conditions together."""
    return [row for row in published.rows(name) if row["condition_id"] is None]


def _share_cells(row: Row, names: tuple[str, str, str], meta: SiteMeta) -> list[Cell]:
    whole_n, part, share = (row[name] for name in names)
    if part is None:
        return [meta.hidden if whole_n is None else whole_n, meta.hidden, "not shown"]
    return [whole_n, part, whole(share)]


def _why_no_share(row: Row, meta: SiteMeta) -> str:
    if row["needled_share"] is not None:
        return ""
    return "no needled episodes" if row["needled"] == 0 else meta.too_few


def _twitch_cells(row: Row, meta: SiteMeta) -> list[Cell]:
    if row["suppressed"]:
        return [meta.hidden, *["not shown"] * 7]
    if row["pairs"] is None:
        return [row["patients"], row["units"], meta.hidden, *["not shown"] * 5]
    numbers = [rounded(row[name], 2) for name in ("change_mean", "change_low", "change_high")]
    return [
        *(row["patients"], row["units"], row["pairs"], whole(row["pair_share"])),
        *(rounded(row["baseline_mean"]), *numbers),
    ]


def _twitch_recorded(unrecorded: Row | None, units: list[int | None]) -> str:
    if unrecorded is None or unrecorded["units"] is None or None in units:
        return "How often it was recorded cannot be told: too few sessions of one kind."
    total = sum(number or 0 for number in units)
    return f"Recorded, yes or no, at {percent(1 - unrecorded['units'] / total)} of {plural(total, 'needling session')}."


def _subgroup_mark(label: str, row: Row, meta: SiteMeta) -> recovery_dot.RateRow:
    known = row["completeness"]
    size = f"n {count(row['n'])}" if row["n"] is not None else ""
    return {
        "label": label,
        "note": size if known is None else f"{size} {DOT} {percent(known)} known",
        "rate": row["rate"],
        "rate_low": row["rate_low"],
        "rate_high": row["rate_high"],
        "n": row["n"],
        "network": None,
        "words": "" if row["rate"] is not None else (meta.too_few if row["n"] is None else "no known outcome"),
    }


def _subgroup_cells(row: Row, meta: SiteMeta) -> list[Cell]:
    if row["suppressed"]:
        return [meta.hidden, *["not shown"] * 9]
    rates = ("completeness", "rate", "rate_low", "rate_high", "rate_if_missing_none", "rate_if_missing_all")
    known: list[Cell] = (
        [meta.hidden, *["not shown"] * 6] if row["n"] is None else [row["n"], *(whole(row[name]) for name in rates)]
    )
    pain: list[Cell] = (
        ["not shown"] * 2 if row["pairs"] is None else [rounded(row[name]) for name in ("baseline_mean", "change_mean")]
    )
    return [row["episodes"], *known, *pain]
