"""What the log of the runs says: cards of the page of runs that only the bundle for engineers has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.figures import run_time, step_time
from dashboards.markup import clean, esc
from dashboards.pages import failures
from dashboards.pages.parts import Card, Column, Key, Table
from dashboards.pages.quality_rows import WRITTEN, short_day
from dashboards.words import DASH, count, plural, spoken, stamp_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Cell
    from dashboards.published import Row

STATES = {
    "released": ("●", "Released"),
    "warned": ("▲", "Released with warnings"),
    "read": ("●", "Read"),
    "unchanged": ("○", "Nothing new"),
    "held": ("■", "Held"),
    "failed": ("✕", "Failed"),
    "unfinished": ("✕", "Did not finish"),
}
NO_RUN = (DASH, "No run")
BUILT = ("released", "warned")
MOST_DRAWN = 60
MINUTE = 60
MEGABYTE = 1_000_000

DAY_TABLE = Table(
    "days",
    "Days with a run",
    (Column("Day"), Column("Result"), Column("Runs", "int"), Column("Not well", "int")),
    written=WRITTEN,
)
RUN_TABLE = Table(
    "runs",
    "Runs, the last one first",
    (
        Column("Started (UTC)", "two"),
        Column("Result"),
        Column("Why"),
        Column("Took"),
        Column("Usual"),
        Column("Deliveries read", "int"),
        Column("Rows received", "int"),
        Column("= used", "int"),
        Column("+ set aside", "int"),
        Column("+ rejected", "int"),
        Column("Release"),
    ),
    written=WRITTEN,
)
CHANGE_TABLE = Table(
    "changes",
    "What was new in each run",
    (Column("Started (UTC)", "two"), Column("Code"), Column("Contract"), Column("New against the run before")),
    written=WRITTEN,
)
STEP_TABLE = Table(
    "steps",
    "Steps of the last run that built a release",
    (Column("Step"), Column("Took"), Column("Usual"), Column("Runs compared", "int"), Column("Result")),
)
USUAL_KEYS = (Key("circle", "usual"), Key("below", "not usual"))
LIMITS = (
    "Usual is the range of an XmR chart over the runs before that built a release too, up to 30 of them and no fewer "
    "than 12. A run that takes longer than usual may only have had more to read."
)


def state_words(state: str | None) -> str:
    """How a run ended, with its symbol."""
    return " ".join(STATES.get(state, NO_RUN) if state else NO_RUN)


def duration(seconds: float | None) -> str:
    """``252.4`` as ``4 min 12 s``."""
    if seconds is None:
        return DASH
    if seconds < MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), MINUTE)
    return f"{minutes:,} min {rest} s"


def lead(runs: Sequence[Row]) -> str:
    """Say how the last run went."""
    if not runs:
        return "<strong>No run has been recorded.</strong>"
    last = runs[-1]
    how = STATES[last["state"]][1].lower()
    took = f" It took {duration(last['seconds'])}." if last["seconds"] is not None else ""
    held = f" Held by {clean(last['held_by'])}." if last["held_by"] else ""
    said = {
        "read": "read what had arrived",
        "unchanged": "found nothing new",
        "unfinished": "did not finish",
        "failed": "failed",
    }.get(last["state"], f"was {how}")
    return f"<strong>The run of {esc(stamp_text(last['started']))} UTC {said}.</strong> <span>{esc(took + held)}</span>"


def tiles(runs: Sequence[Row]) -> dict[str, str]:
    """Words of the tiles about the last run."""
    last = runs[-1]
    usual = usual_words(last)
    return {
        "run.number": short_day(last["started"]),
        "run.sub": f"{last['started'][11:16]} UTC, {plural(last['deliveries'], 'delivery', 'deliveries')} read",
        "state.number": STATES[last["state"]][1].split()[0],
        "state.sub": clean(last["held_by"] or last["problems"]) or plural(last["warnings"], "warning"),
        "took.number": duration(last["seconds"]),
        "took.sub": usual,
        "in.number": count(last["rows_in"]),
        "in.sub": (
            f"{last['rows_used']:,} used, {last['rows_set_aside']:,} set aside, {last['rows_rejected']:,} rejected"
        ),
        "size.number": f"{last['site_bytes'] / MEGABYTE:.1f} MB",
        "size.sub": "all files of the site",
    }


def usual_words(row: Row) -> str:
    """Between what a duration usually is."""
    if row["usual_high"] is None:
        return "too few runs to compare with"
    words = f"{duration(row['usual_low'])} to {duration(row['usual_high'])}"
    return f"▼ not usual: {words}" if row["is_unusual"] else f"usual {words}"


def cards(runs: Sequence[Row], steps: Sequence[Row], days: Sequence[Row], meta: SiteMeta) -> list[Card]:
    """Return the cards, with what each of them draws."""
    built = [row for row in runs if row["state"] in BUILT][-MOST_DRAWN:]
    drawn = [{**row, "label": f"{stamp_text(row['started'])} UTC", "day": short_day(row["started"])} for row in built]
    without = sum(row["state"] is None for row in days)
    unusual = [row for row in steps if row["is_unusual"]]
    return [
        Card(
            "days",
            "Did each day have a run?",
            12,
            "One mark for each of the last 60 days (UTC), the last is the day on which this bundle was written: how "
            "the last run of the day ended. Not well are runs that were held, failed or did not finish.",
            DAY_TABLE,
            extra=_strip(days),
            say=f"{plural(len(days) - without, 'day')} of the last {len(days)} had a run.",
        ),
        Card(
            "durations",
            "How long do runs take?",
            7,
            f"Only runs that built a release are drawn. {LIMITS}",
            RUN_TABLE,
            run_time.spec(drawn) if drawn else None,
            (*USUAL_KEYS, Key("dashed", "limits")) if drawn else (),
            extra=failures.links_to((code for row in runs for code in row["problems"].split("; ")), meta),
            say=_durations(built),
        ),
        Card(
            "steps",
            "How long do steps take?",
            5,
            f"Steps of the last run that built a release; reading is added up over its deliveries. {LIMITS}",
            STEP_TABLE,
            step_time.spec([{**row, "label": step_name(row["step"])} for row in steps]) if steps else None,
            USUAL_KEYS if steps else (),
            say=(
                f"{plural(len(unusual), 'step')} took an unusual time." if unusual else "No step took an unusual time."
            ),
        ),
        Card(
            "changes",
            "What changed?",
            12,
            "Versions of code, contract and packages, and whether something was read. The same inputs and code give "
            "the same release.",
            CHANGE_TABLE,
            say=f"New in the last run: {clean(runs[-1]['changed'])}." if runs else "",
        ),
    ]


def rows(runs: Sequence[Row], steps: Sequence[Row], days: Sequence[Row]) -> dict[str, list[list[Cell]]]:
    """Rows of the tables, the newest first."""
    newest = list(reversed(runs))
    return {
        "days": [
            [stamp_text(row["day"]), state_words(row["state"]), row["runs"], row["failed"]]
            for row in reversed(days)
            if row["state"]
        ],
        "runs": [
            [
                _when(row),
                state_words(row["state"]),
                clean(row["held_by"] or row["problems"]),
                duration(row["seconds"]),
                usual_words(row) if row["state"] in BUILT else "",
                row["deliveries"],
                row["rows_in"],
                row["rows_used"],
                row["rows_set_aside"],
                row["rows_rejected"],
                clean(row["release"] or DASH),
            ]
            for row in newest
        ],
        "changes": [
            [_when(row), clean(row["code_version"]), f"version {clean(row['contract_version'])}", clean(row["changed"])]
            for row in newest
        ],
        "steps": [
            [step_name(row["step"]), duration(row["seconds"]), usual_words(row), row["runs"], _usual(row)]
            for row in steps
        ],
    }


def step_name(step: str) -> str:
    """A step of the pipeline in words: ``publication__site`` as ``Site``."""
    return spoken(step.rsplit("__", maxsplit=1)[-1])


def _when(row: Row) -> list[str]:
    return [stamp_text(row["started"]), f"{spoken(row['kind'])} {clean(row['run_id'])}"]


def _usual(row: Row) -> str:
    return {None: "not known yet", True: "▼ not usual", False: "● usual"}[row["is_unusual"]]


def _durations(built: Sequence[Row]) -> str:
    if not built:
        return "No run has built a release yet."
    last = built[-1]
    return f"The last run that built a release took {duration(last['seconds'])}; {usual_words(last)}."


def _strip(days: Sequence[Row]) -> str:
    """One mark for each day, from left to right; the table below says the same in words."""
    marks = []
    for place, row in enumerate(days):
        symbol, _ = STATES[row["state"]] if row["state"] else NO_RUN
        is_labelled = place == 0 or row["day"].endswith("-01")
        day = short_day(row["day"]) if is_labelled else str(int(row["day"][8:]))
        marks.append(f'<li class="d-{esc(row["state"] or "none")}">{symbol}<small>{esc(day)}</small></li>')
    kinds = (*list(STATES.values())[:5], (STATES["failed"][0], "failed or did not finish"), NO_RUN)
    key = "".join(f"<li>{symbol} {esc(words.lower())}</li>" for symbol, words in kinds)
    return f'<ol class="days" aria-hidden="true">{"".join(marks)}</ol><ul class="key" aria-hidden="true">{key}</ul>'
