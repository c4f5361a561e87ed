"""Data quality ``quality.html``: what was checked, what was set aside and why, and that no row got lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.figures import check_status, count_bars
from dashboards.markup import clean, esc
from dashboards.pages.frame import NO_DATA, Page
from dashboards.pages.parts import Card, Column, Key, State, Table, card_html, filters_html, tile_html
from dashboards.pages.payload import payload, selection_filter
from dashboards.pages.quality_rows import (
    ATTENTION,
    PASSED,
    check_cells,
    conservation_cells,
    place_of,
    reconciles,
    severest_first,
    summary_cells,
)
from dashboards.words import STATUS, count, listing, percent, plural, spoken

if TYPE_CHECKING:
    from dashboards.pages.frame import SiteMeta
    from dashboards.published import Published, Row

NAME, HEADING = "quality", "Data quality"
MOST_BARS = 10
LABEL_LETTERS = 44
"""What fits beside a bar."""
NAMED = 3
"""Checks that need attention are named up to this number; the table has all."""

CHECK_TABLE = Table(
    "checks",
    "Every check with its result",
    (
        Column("Table"),
        Column("Check", "two"),
        Column("Result", "status"),
        Column("If it fails"),
        Column("Rows checked", "int"),
        Column("Rows violating", "int"),
        Column("Violating (%)", "dec2"),
        Column("Allowed (%)", "dec1"),
    ),
    grouped=True,
)
STATUS_COLUMN = 2
QUARANTINE_TABLE = Table(
    "quarantine",
    "Rows set aside by check and reason",
    (Column("Table"), Column("Check"), Column("Reason"), Column("Rows", "int"), Column("Still to correct", "int")),
    grouped=True,
)
CONSERVATION_TABLE = Table(
    "conservation",
    "Where the rows of each delivery went",
    (
        Column("Delivery", "two"),
        Column("Extract of"),
        Column("State"),
        Column("Out of scope", "int"),
        Column("Ingested", "int"),
        Column("= accepted", "int"),
        Column("+ quarantined", "int"),
        Column("+ superseded", "int"),
        Column("+ rejected", "int"),
        Column("Reconciles"),
    ),
)


def build(published: Published, meta: SiteMeta) -> Page:
    """Return the page; rows of long tables are written by the engine."""
    checks, quarantine = published.rows("check_summary"), published.rows("quarantine_by_reason")
    deliveries = published.rows("conservation")
    if not checks and not deliveries:
        return Page(NAME, HEADING, f'<p class="notice">{NO_DATA}</p>')
    tables = [table.name for table in published.contract.tables]
    checks.sort(key=lambda row: (place_of(row["table_name"], tables), *severest_first(row), row["check_id"]))
    quarantine.sort(key=lambda row: (place_of(row["table_name"], tables), -row["rows"], row["check_id"]))
    deliveries.sort(key=lambda row: (row["extract_stamp"] or "", row["delivery_id"]), reverse=True)
    cards = [
        _summary_card(checks, tables),
        _quarantine_card(quarantine),
        _conservation_card(deliveries),
        _checks_card(),
    ]
    made = State(
        rows={
            "summary": summary_cells(checks, tables),
            "quarantine": [
                [spoken(r["table_name"]), r["title"], spoken(r["reason"]), r["rows"], r["to_correct"]]
                for r in quarantine
            ],
            "conservation": conservation_cells(deliveries),
            "checks": [check_cells(row) for row in checks],
        }
    )
    _tiles(made, meta, checks, deliveries)
    filters = _filters(checks, tables)
    attention = [row for row in checks if row["status"] in ATTENTION]
    # Only checks that need attention are written into the page; the engine writes the others.
    written = State(
        rows=made.rows | {"checks": [check_cells(row) for row in attention]}, text=made.text, alert=made.alert
    )
    body = (
        f'{_lead(meta, attention)}<section class="tiles" aria-label="Key numbers">{_tiles_html(written)}</section>'
        f'<div class="grid">{"".join(card_html(card, written) for card in cards[:3])}</div>'
        f'<h2 class="section">All checks</h2>{filters_html(filters)}'
        '<p role="status" class="visually-hidden"></p><p class="print-scope" data-scope></p>'
        '<noscript><p class="notice">Without JavaScript only the checks that need attention are listed; all are in '
        '<a href="data/check_summary.csv">check_summary.csv</a>.</p></noscript>'
        f'<div class="grid">{card_html(cards[3], written)}</div>'
    )
    rows = made.rows
    narrow = {"table": "checks", "columns": [0, STATUS_COLUMN]}
    return Page(NAME, HEADING, body, payload(NAME, meta, cards, filters, rows=rows, narrow=narrow))


def _lead(meta: SiteMeta, attention: list[Row]) -> str:
    names = [clean(row["title"]) for row in attention[:NAMED]]
    more = len(attention) - len(names)
    listed = listing([*names, plural(more, "other")] if more else names)
    need = f" {plural(len(attention), 'needs', 'need')} attention: {listed}." if attention else ""
    return (
        f'<p class="lead"><strong>These numbers were released.</strong> <span>{esc(meta.checks)}.{esc(need)} '
        "Every row that is set aside is "
        "kept with its reason and counts again once it is corrected.</span></p>"
    )


def _tiles(made: State, meta: SiteMeta, checks: list[Row], deliveries: list[Row]) -> None:
    ingested = sum(row["ingested"] for row in deliveries)
    aside = sum(row["quarantined"] for row in deliveries)
    wrong = sum(not reconciles(row) for row in deliveries)
    failed = sum(row["status"] in ("fail", "error") for row in checks)
    refused = sum(row["state"] != "accepted" for row in deliveries)
    made.text = {
        "checks.number": count(meta.checks_passed),
        "checks.unit": f"of {meta.checks_total:,}",
        "checks.sub": f"{plural(meta.warnings, 'warning')}, {failed:,} failed",
        "release.number": "Released",
        "release.sub": "no blocking check stopped it",
        "aside.number": percent(aside / ingested) if aside == 0 or not ingested else _share(aside, ingested),
        "aside.sub": f"{aside:,} of {plural(ingested, 'row')}",
        "deliveries.number": count(len(deliveries)),
        "deliveries.sub": f"{refused:,} not accepted" if refused else "all accepted",
        "reconcile.number": "Exact" if not wrong else "Wrong",
        "reconcile.sub": (
            "ingested = accepted + quarantined + superseded + rejected"
            if not wrong
            else f"▼ {plural(wrong, 'delivery', 'deliveries')} do not add up"
        ),
    }
    made.alert = [name for name, bad in (("checks", failed), ("reconcile", wrong)) if bad]


def _tiles_html(made: State) -> str:
    return "".join(
        tile_html(*tile, made)
        for tile in (
            ("checks", "Checks passed", "Checks of the contract that could be applied and did not warn or fail."),
            (
                "release",
                "Publication",
                "A run whose blocking checks fail is not published: the numbers before it stay.",
            ),
            (
                "aside",
                "Rows set aside",
                "Rows that violate a rule of the contract. They are kept in quarantine with the reason, and counted.",
            ),
            (
                "deliveries",
                "Deliveries",
                "Files or folders that clinics sent, each counted once however often it came.",
            ),
            (
                "reconcile",
                "Rows reconcile",
                "Every row of every delivery is in exactly one place; each place is counted.",
            ),
        )
    )


def _summary_card(checks: list[Row], tables: list[str]) -> Card:
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
        "Which checks passed, table by table?",
        6,
        "Each bar is a table of the data model and each part a number of checks. A warning does not stop the "
        "publication; a failed check that is critical does. Not applicable: the delivery had nothing to check.",
        Table("summary", "Checks by table", (Column("Table"), *columns)),
        check_status.spec(rows),
        (Key("pass", "passed"), Key("warn", "! warning"), Key("fail", "✕ failed"), Key("not-run", "not applicable")),
        say=f"{plural(len(checks), 'check')} of {plural(len(rows), 'table')}, from columns and codes to keys.",
    )


def _quarantine_card(quarantine: list[Row]) -> Card:
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
        6,
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


def _conservation_card(deliveries: list[Row]) -> Card:
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
        say=(
            f"{plural(total, 'row')} in {plural(len(deliveries), 'delivery', 'deliveries')}: "
            "ingested = accepted + quarantined + superseded + rejected."
        ),
    )


def _checks_card() -> Card:
    return Card(
        "checks",
        "What does each check say?",
        12,
        "A check that sets rows aside fails only when more rows violate it than allowed: then the delivery is "
        "wrong, not a row. A check that warns never removes a row.",
        CHECK_TABLE,
        say="Checks that need attention come first within each table.",
    )


def _filters(checks: list[Row], tables: list[str]) -> list[dict[str, object]]:
    present = sorted({row["table_name"] for row in checks}, key=lambda name: place_of(name, tables))
    results = selection_filter("result", "Result", [("", "All results")])
    results["values"] += [
        ["attention", "Needs attention", list(ATTENTION)],
        ["pass", "Passed", list(PASSED)],
        ["aside", STATUS["pass_with_violations"].removeprefix("✓ "), ["pass_with_violations"]],
        ["none", "Not applicable", ["not_applicable"]],
    ]
    labels = [(spoken(name), spoken(name)) for name in present]
    return [selection_filter("table", "Table", [("", "All tables"), *labels]), results]


def _share(part: int, total: int) -> str:
    """Return a share that may be small: two decimals below one percent."""
    share = 100 * part / total
    return f"{share:.1f}%" if share >= 1 else f"{share:.2f}%"


def _short(title: str) -> str:
    words = clean(title)
    return words if len(words) <= LABEL_LETTERS else f"{words[: LABEL_LETTERS - 1].rstrip()}…"
