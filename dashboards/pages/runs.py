"""Pipeline runs ``runs.html``: what came in, what became of it, and with which code.

A release depends on its inputs and its code alone, so that the page of a site says nothing of the clock. The bundle for
engineers has the log of the runs beside it (frames ``run``, ``run_step`` and ``run_day``), and there the page begins
with the last run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assets.packages import package_versions
from dashboards.markup import clean, esc
from dashboards.pages import failures, runs_log
from dashboards.pages.frame import Page, empty
from dashboards.pages.parts import Card, Column, State, Table, card_html, tile_html
from dashboards.pages.payload import payload
from dashboards.pages.quality_rows import PARTS, WRITTEN, reconciles, short_day, state_cell
from dashboards.words import DASH, count, plural, source_name, spoken, stamp_text

if TYPE_CHECKING:
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Cell
    from dashboards.published import Published, Row

NAME, HEADING = "runs", "Pipeline runs"

ROWS_TABLE = Table(
    "rows",
    "Rows of each delivery, the newest first",
    (
        Column("Delivery", "two"),
        Column("Extract of"),
        Column("State", "two"),
        Column("Received", "int"),
        Column("= used", "int"),
        Column("+ set aside", "int"),
        Column("+ superseded", "int"),
        Column("+ rejected", "int"),
        Column("Reconciles"),
    ),
    written=WRITTEN,
)
SOURCE_TABLE = Table(
    "sources",
    "Newest extract of each source",
    (Column("Source"), Column("Newest extract"), Column("Deliveries", "int"), Column("Rows used", "int")),
)
VERSION_TABLE = Table("versions", "Versions", (Column("What"), Column("Version")))
WHERE_THE_CLOCK_IS = (
    "When runs started, how long they took and which days had none is not on this page: a release depends on its "
    "inputs and its code alone, and is the same whenever it is built. The log of the runs is in the bundle for "
    "engineers: needlepoint publish --audience ops."
)
RUN_TILES = (
    ("run", "Last run", "The day on which the last run started (UTC).", ""),
    ("state", "Result", "Released, held by a blocking check, failed, or nothing new to release.", ""),
    ("took", "Duration", runs_log.LIMITS, ""),
    ("in", "Rows received", "Rows of the deliveries that the last run read, and what became of them on reading.", ""),
    ("newest", "Newest extract", "The latest day on which a clinic took a delivery from its system.", "conservation"),
    ("size", "Site size", "All files of the site in force, the chart library included.", ""),
)
SITE_TILES = (
    (
        "deliveries",
        "Deliveries",
        "Files or folders that clinics sent, each counted once however often it came.",
        "conservation",
    ),
    ("used", "Rows used", "Rows that enter the numbers.", "conservation"),
    (
        "aside",
        "Rows set aside",
        "Rows that violate a rule of the contract; they are kept with the reason.",
        "conservation",
    ),
    ("newest", "Newest extract", "The latest day on which a clinic took a delivery from its system.", "conservation"),
    (
        "reconcile",
        "Rows reconcile",
        "Every row of every delivery is in exactly one place; each place is counted.",
        "conservation",
    ),
)


def build(published: Published, meta: SiteMeta) -> Page:
    """Return the page."""
    deliveries = published.rows("conservation")
    runs, steps, days = (published.rows(name) for name in ("run", "run_step", "run_day"))
    if not deliveries and not runs:
        return Page(NAME, HEADING, empty())
    deliveries.sort(key=lambda row: (row["extract_stamp"] or "", row["delivery_id"]), reverse=True)
    logged = runs_log.cards(runs, steps, days, meta) if runs else []
    cards = [*logged, _rows_card(deliveries, meta), _sources_card(deliveries), _versions_card()]
    made = State(
        rows={
            "rows": [_row(row) for row in deliveries],
            "sources": _sources(deliveries),
            "versions": _versions(published, meta),
            **(runs_log.rows(runs, steps, days) if runs else {}),
        },
        text=_text(deliveries) | (runs_log.tiles(runs) if runs else {}),
        alert=[name for name, is_bad in _alerts(deliveries, runs).items() if is_bad],
    )
    tiles = "".join(
        tile_html(tile_id, label, definition, made, passport)
        for tile_id, label, definition, passport in (RUN_TILES if runs else SITE_TILES)
    )
    clock = "" if runs else f'<p class="notice">{esc(WHERE_THE_CLOCK_IS)}</p>'
    body = (
        f'<p class="lead">{runs_log.lead(runs) if runs else _lead(deliveries)}</p>'
        f'<section class="tiles" aria-label="Key numbers">{tiles}</section>'
        f"{clock}"
        f'<div class="grid">{"".join(card_html(card, made) for card in cards)}</div>'
    )
    return Page(NAME, HEADING, body, payload(NAME, meta, cards, [], rows=made.rows), styles=(NAME,))


def _lead(deliveries: list[Row]) -> str:
    sums = _sums(deliveries)
    came = f"{plural(sums['ingested'], 'row')} came in {plural(len(deliveries), 'delivery', 'deliveries')}."
    return (
        f"<strong>{esc(came)}</strong> <span>{sums['accepted']:,} are used, {sums['quarantined']:,} set aside, "
        f"{sums['superseded']:,} superseded by later ones and {sums['rejected']:,} rejected with their delivery.</span>"
    )


def _alerts(deliveries: list[Row], runs: list[Row]) -> dict[str, bool]:
    last: dict[str, Any] = runs[-1] if runs else {}
    return {
        "state": last.get("state") in ("held", "failed", "unfinished"),
        "took": bool(last.get("is_unusual")),
        "reconcile": not all(map(reconciles, deliveries)),
    }


def _text(deliveries: list[Row]) -> dict[str, str]:
    sums = _sums(deliveries)
    refused = sum(row["state"] != "accepted" for row in deliveries)
    wrong = sum(not reconciles(row) for row in deliveries)
    newest = deliveries[0]["extract_stamp"] if deliveries else ""
    return {
        "deliveries.number": count(len(deliveries)),
        "deliveries.sub": f"{refused:,} not accepted" if refused else "all accepted",
        "used.number": count(sums["accepted"]),
        "used.sub": f"of {sums['ingested']:,} received",
        "aside.number": count(sums["quarantined"]),
        "aside.sub": "kept with their reason",
        "newest.number": short_day(newest or "") or DASH,
        "newest.sub": plural(len(_sources(deliveries)), "source"),
        "reconcile.number": "Wrong" if wrong else "Exact",
        "reconcile.sub": (
            f"▼ {plural(wrong, 'delivery', 'deliveries')} do not add up"
            if wrong
            else "received = used + set aside + superseded + rejected"
        ),
    }


def _sums(deliveries: list[Row]) -> dict[str, int]:
    return {part: sum(row[part] for row in deliveries) for part in ("ingested", *PARTS)}


def _row(row: Row) -> list[Cell]:
    return [
        [clean(row["label"] or row["delivery_id"]), clean(row["delivery_id"])],
        stamp_text(row["extract_stamp"] or "") or "not stated",
        state_cell(row),
        row["ingested"],
        *(row[part] for part in PARTS),
        "✓ Exact" if reconciles(row) else "✕ Wrong",
    ]


def _sources(deliveries: list[Row]) -> list[list[Cell]]:
    """Deliveries by source, in alphabetical order; they come with the newest first."""
    sources: dict[str, list[Row]] = {}
    for row in deliveries:
        sources.setdefault(source_name(clean(row["label"] or row["delivery_id"])), []).append(row)
    return [
        [
            name,
            stamp_text(rows[0]["extract_stamp"] or "") or "not stated",
            len(rows),
            sum(row["accepted"] for row in rows),
        ]
        for name, rows in sorted(sources.items(), key=lambda item: item[0].casefold())
    ]


def _versions(published: Published, meta: SiteMeta) -> list[list[Cell]]:
    packages: list[list[Cell]] = [[spoken(name), version] for name, version in package_versions().items()]
    return [
        ["Release", clean(meta.release) or DASH],
        ["Code", clean(meta.code_version)],
        ["Contract", clean(meta.contract_version)],
        ["Definition of recovered in force", published.contract.default_definition.versioned_id],
        *packages,
    ]


def _rows_card(deliveries: list[Row], meta: SiteMeta) -> Card:
    wrong = sum(not reconciles(row) for row in deliveries)
    return Card(
        "rows",
        "Where do rows go?",
        12,
        "Used rows enter the numbers. Rows set aside violate a rule; they are kept with the reason. Superseded rows "
        "were sent again, replaced or taken back. Rejected rows came in a delivery that could not be used. Each part "
        "is counted on its own; none is computed as the rest.",
        ROWS_TABLE,
        extra=failures.links_to((row["problem_code"] for row in deliveries), meta),
        say=(
            f"▼ The rows of {plural(wrong, 'delivery', 'deliveries')} do not add up."
            if wrong
            else "Received = used + set aside + superseded + rejected, for every delivery."
        ),
        passport="conservation",
    )


def _sources_card(deliveries: list[Row]) -> Card:
    return Card(
        "sources",
        "How recent is each source?",
        6,
        "Deliveries whose names differ only in the stamp are of one source. The stamp says when a delivery was taken "
        "from the system of the clinic.",
        SOURCE_TABLE,
        say=f"{plural(len(_sources(deliveries)), 'source')} in alphabetical order.",
    )


def _versions_card() -> Card:
    return Card(
        "versions",
        "With which versions was it made?",
        6,
        "The code version is a digest of all code, SQL, page files and versions of packages: if one of them changes, "
        "so does it, and with it the name of the release.",
        VERSION_TABLE,
        say="The same versions and the same deliveries give the same release, byte by byte.",
    )
