"""Cards and tables of the quality page that are the same for every selection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.behaviour import VOLUME_FACTOR
from dashboards.figures import check_status, count_bars
from dashboards.figures import volume as volume_figure
from dashboards.markup import clean
from dashboards.pages import failures
from dashboards.pages.parts import Card, Column, Key, Table
from dashboards.pages.quality_rows import WRITTEN, short_day, summary_cells, volume_words
from dashboards.words import listing, plural, spoken

if TYPE_CHECKING:
    from dashboards.pages.frame import SiteMeta
    from dashboards.published import Row

NAMED = 3
"""Deliveries with an unusual number of rows are named up to this number; the table has all."""
MOST_BARS = 10
LABEL_LETTERS = 44
"""What fits beside a bar."""
FEWEST_DRAWN = 12
"""Deliveries from which on their rows are drawn; fewer say more in words."""
ONE_THIRD = "\N{VULGAR FRACTION ONE THIRD}"
VOLUME_KEYS = (
    Key("circle", "usual"),
    Key("above", "far more"),
    Key("below", "far fewer"),
    Key("dashed", "limits"),
)

CHECK_TABLE = Table(
    "checks",
    "Every check with its result",
    (
        Column("Table"),
        Column("Check", "drill:check"),
        Column("Result", "status"),
        Column("If it fails"),
        Column("Rows checked", "int"),
        Column("Rows violating", "int"),
        Column("Violating (%)", "dec2"),
        Column("Allowed (%)", "dec1"),
        Column("Rule"),
    ),
    grouped=True,
    written=2 * WRITTEN,
)
VOLUME_TABLE = Table(
    "volume",
    "Rows of each delivery",
    (
        Column("Delivery, extract of", "two"),
        Column("Rows", "int"),
        Column("Times the usual", "dec2"),
        Column("Result"),
    ),
    written=WRITTEN,
)
QUARANTINE_TABLE = Table(
    "quarantine",
    "Rows set aside by check and reason",
    (Column("Table"), Column("Check"), Column("Reason"), Column("Rows", "int"), Column("Still to correct", "int")),
    grouped=True,
    written=WRITTEN,
)
CONSERVATION_TABLE = Table(
    "conservation",
    "Where the rows of each delivery went",
    (
        Column("Delivery", "two"),
        Column("Extract of"),
        Column("State", "two"),
        Column("Out of scope", "int"),
        Column("Ingested", "int"),
        Column("= accepted", "int"),
        Column("+ quarantined", "int"),
        Column("+ superseded", "int"),
        Column("+ rejected", "int"),
        Column("Reconciles"),
    ),
    written=WRITTEN,
)


def summary_card(checks: list[Row], tables: list[str]) -> Card:
    """How many checks of each table passed."""
    columns = (
        Column("Passed", "int"),
        Column("Warning", "int"),
        Column("Failed", "int"),
        Column("Not applicable", "int"),
    )
    rows = [
        {"label": label, "passed": passed, "warned": warned, "failed": failed, "not_run": not_run}
        for label, passed, warned, failed, not_run in summary_cells(checks, tables)
    ]
    return Card(
        "summary",
        "Which checks passed, data set by data set?",
        12,
        "Each bar is a table that clinics send, or a stage of the release, and each part a number of checks. A warning "
        "does not stop the publication; a failed check that is critical does. Not applicable: there was nothing to "
        "check.",
        Table("summary", "Checks by data set", (Column("Data set"), *columns)),
        check_status.spec(rows),
        (Key("pass", "passed"), Key("warn", "! warning"), Key("fail", "✕ failed"), Key("not-run", "not applicable")),
        say=f"{plural(len(checks), 'check')} of {plural(len(rows), 'data set')}, from columns to numbers.",
    )


def volume_card(deliveries: list[Row], volume: dict[str, Row]) -> Card:
    """Whether the rows of each delivery are usual."""
    rows = [
        {
            "label": clean(row["label"] or row["delivery_id"]),
            "day": short_day(row["extract_stamp"] or "") or "not stated",
            **volume[row["delivery_id"]],
        }
        for row in reversed(deliveries)
        if volume.get(row["delivery_id"], {}).get("times_usual") is not None
    ]
    unusual = [row for row in rows if row["is_unusual"]]
    names = listing([f"{row['label']} ({volume_words(row)})" for row in unusual[:NAMED]])
    more = f", and {len(unusual) - NAMED:,} more" if len(unusual) > NAMED else ""
    compared = plural(len(rows), "delivery", "deliveries")
    if not rows:
        say = "No delivery has another of its source to be compared with yet."
    elif unusual:
        say = f"{len(unusual):,} of {compared} had an unusual number of rows: {names}{more}."
    else:
        say = f"The number of rows was usual in {'each of ' if len(rows) > 1 else ''}{compared}."
    is_drawn = len(rows) >= FEWEST_DRAWN
    return Card(
        "volume",
        "Is data arriving as usual?",
        5,
        f"Usual is the median of the other deliveries of the same source. Fewer than a third of it ({ONE_THIRD}) or "
        f"more than {VOLUME_FACTOR} times as many rows are unusual: a filter, a part that is missing or a second "
        f"extract. It is a warning, for a small correction is as welcome as a full extract. Drawn from {FEWEST_DRAWN} "
        "deliveries on.",
        VOLUME_TABLE,
        volume_figure.spec(rows, 1 / VOLUME_FACTOR, VOLUME_FACTOR) if is_drawn else None,
        VOLUME_KEYS if is_drawn else (),
        say=say,
        passport="delivery_volume",
    )


def quarantine_card(quarantine: list[Row]) -> Card:
    """Rows set aside by check."""
    largest = sorted(quarantine, key=lambda row: (-row["rows"], row["check_id"]))[:MOST_BARS]
    bars: list[count_bars.CountRow] = [
        {
            "label": _short(row["title"]),
            "note": f"{row['table_name']}, {spoken(row['reason']).lower()}",
            "value": row["rows"],
            "words": "",
        }
        for row in largest
    ]
    total = sum(row["rows"] for row in quarantine)
    more = f" The {MOST_BARS} most frequent are drawn; the table has all." if len(quarantine) > MOST_BARS else ""
    return Card(
        "quarantine",
        "Which rows were set aside, and why?",
        7,
        "A row that violates several rules is counted under each of them, so the bars may add up to more than "
        "the rows set aside. A row is no longer to be corrected once a later delivery corrects it or somebody waives "
        "it. Values are never shown here: file, row number and rule are in the fix lists (needlepoint quarantine "
        "export).",
        QUARANTINE_TABLE,
        count_bars.spec(bars, "Rows") if bars else None,
        say=f"{plural(total, 'violation')} of {plural(len(quarantine), 'rule')}.{more}"
        if total
        else "No row was set aside.",
    )


def conservation_card(deliveries: list[Row], meta: SiteMeta) -> Card:
    """What became of every row of each delivery."""
    total = sum(row["ingested"] for row in deliveries)
    return Card(
        "conservation",
        "Where did every row go?",
        12,
        "Each part is counted on its own; none is computed as the rest. Accepted rows enter the numbers, "
        "quarantined rows "
        "violated a rule, superseded rows were sent again, replaced or taken back, rejected rows came in a delivery "
        "that could not be used. Out of scope are rows that the profile of the source does not select: they are not "
        "ingested.",
        CONSERVATION_TABLE,
        extra=failures.links_to((row["problem_code"] for row in deliveries), meta),
        say=(
            f"{plural(total, 'row')} in {plural(len(deliveries), 'delivery', 'deliveries')}: "
            "ingested = accepted + quarantined + superseded + rejected."
        ),
    )


def checks_card(later: int) -> Card:
    """Every check; ``later`` run after the page is made."""
    more = (
        f" {plural(later, 'more check looks', 'more checks look')} at the written files before they are switched in; a "
        "release in which one of them fails is not published."
        if later
        else ""
    )
    return Card(
        "checks",
        "What does each check say?",
        12,
        "A check that sets rows aside fails only when more rows violate it than allowed: then the delivery is "
        "wrong, not a row. A check that warns never removes a row.",
        CHECK_TABLE,
        say=f"Checks that need attention come first within each table.{more}",
    )


def _short(title: str) -> str:
    words = clean(title)
    return words if len(words) <= LABEL_LETTERS else f"{words[: LABEL_LETTERS - 1].rstrip()}…"
