"""Data quality ``quality.html``: what was checked, what was set aside and why, and that no row got lost."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from assets.contract.check_kinds import Stage
from assets.contract.definitions import COMPLETENESS_TARGET_PERCENT
from dashboards.markup import clean, esc
from dashboards.pages import catalogue, quality_audit, quality_heat, runs_log
from dashboards.pages.evidence import PACKS, pack_name
from dashboards.pages.frame import NO_DATA, Page
from dashboards.pages.parts import State, card_html, filters_html, joined, tile_html
from dashboards.pages.payload import parts_json, payload, selection_filter, shared_words
from dashboards.pages.quality_cards import checks_card, conservation_card, quarantine_card, summary_card, volume_card
from dashboards.pages.quality_panel import checks_of, hidden_panel, panel_html, panel_state
from dashboards.pages.quality_rows import (
    ATTENTION,
    OF_STAGE,
    PASSED,
    check_cells,
    conservation_cells,
    in_data_sets,
    place_of,
    reconciles,
    severest_first,
    short_day,
    summary_cells,
    volume_cells,
)
from dashboards.pages.quality_trail import trail_of
from dashboards.words import ANY_CARE, DASH, SEVERITY, STATUS, count, listing, percent, plural, spoken, whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Card
    from dashboards.pages.quality_heat import Results
    from dashboards.pages.quality_trail import Trail
    from dashboards.published import Published, Row

NAME, HEADING = "quality", "Data quality"
FAILS = {"critical": "Sets rows aside or stops", "warning": "Warns"}
RELEASED = "Released"
NAMED = 3
"""Checks that need attention are named up to this number; the table has all."""

TILES = (
    (
        "checks",
        "Checks passed",
        "Checks of the contract that could be applied and did not warn or fail.",
        "check_summary",
    ),
    (
        "release",
        "Publication",
        "A run whose blocking checks fail is not published: the numbers before it stay.",
        "",
    ),
    (
        "aside",
        "Rows set aside",
        "Rows that violate a rule of the contract. They are kept in quarantine with the reason, and counted.",
        "conservation",
    ),
    (
        "newest",
        "Newest extract",
        "The latest day on which a clinic took a delivery from its system. Nothing later can be in these numbers.",
        "conservation",
    ),
    (
        "known",
        "Outcome known",
        "Share of closed episodes whose outcome is known, all clinics and conditions together.",
        "recovery_by_condition",
    ),
    (
        "reconcile",
        "Rows reconcile",
        "Every row of every delivery is in exactly one place; each place is counted.",
        "conservation",
    ),
)

NARROWED = (0, 3, 2, 1)
"""Columns of this table that the filters narrow: table, what a failure does, result, check."""


def build(published: Published, meta: SiteMeta) -> Page:
    """Return the page; rows of long tables are written by the engine."""
    # of the written files only those know who are given the pages later
    checks = in_data_sets([*published.rows("check_summary"), *published.rows("check_written")])
    quarantine = published.rows("quarantine_by_reason")
    deliveries = published.rows("conservation")
    if not checks and not deliveries:
        return Page(NAME, HEADING, f'<p class="notice">{NO_DATA}</p>')
    tables = [*(table.name for table in published.contract.tables), *OF_STAGE.values()]
    checks.sort(key=lambda row: (place_of(row["table_name"], tables), *severest_first(row), row["check_id"]))
    quarantine.sort(key=lambda row: (place_of(row["table_name"], tables), -row["rows"], row["check_id"]))
    deliveries.sort(key=lambda row: (row["extract_stamp"] or "", row["delivery_id"]), reverse=True)
    volume = {row["delivery_id"]: row for row in published.rows("delivery_volume")}
    results = quality_heat.results_of(published)
    filters = _filters(checks, tables)
    heat = _heat_states(results, checks, filters)
    trail = trail_of(published)
    by_run = _heat_states(trail.results, checks, filters) if trail.results else {}
    panels = _panel_states(published, meta, results, checks, trail)
    no_panel = hidden_panel(panels.values())
    cards = [
        *trail.heat_cards(by_run),
        quality_heat.card(heat["0|0"].plots[quality_heat.CARD]),
        volume_card(deliveries, volume),
        quarantine_card(quarantine),
        summary_card(checks, tables),
        conservation_card(deliveries, meta),
        *trail.cards(),
        checks_card(_later(meta, checks)),
    ]
    made = State(
        rows={
            "summary": summary_cells(checks, tables),
            "volume": volume_cells(deliveries, volume),
            "quarantine": [
                [spoken(r["table_name"]), r["title"], spoken(r["reason"]), r["rows"], r["to_correct"]]
                for r in quarantine
            ],
            "conservation": conservation_cells(deliveries),
            "checks": [check_cells(row) for row in checks],
            **trail.rows({row["check_id"]: clean(row["title"]) for row in checks}),
        }
    )
    _tiles(made, published, meta, checks, deliveries)
    attention = [row for row in checks if row["status"] in ATTENTION]
    # Only checks that need attention are written into the page; the engine writes the others.
    written = joined([made, State(rows={"checks": [check_cells(row) for row in attention]}), heat["0|0"], no_panel])
    written = joined([written, by_run["0|0"]]) if by_run else written
    body = (
        f"{filters_html(filters)}"
        '<noscript><p class="notice">Without JavaScript the tables show their first rows only; all are in '
        '<a href="data/check_summary.csv">check_summary.csv</a>, <a href="data/conservation.csv">conservation.csv</a> '
        'and <a href="data/quarantine_by_reason.csv">quarantine_by_reason.csv</a>.</p></noscript>'
        '<p role="status" class="visually-hidden"></p><p class="print-scope" data-scope></p>'
        f"{_lead(published, meta, attention)}{panel_html(written, _json_link(meta), has_trail=trail.is_there)}"
        f'<section class="tiles" aria-label="Key numbers">{_tiles_html(written)}</section>'
        f'<div class="grid">{"".join(card_html(card, written) for card in cards[:-1])}</div>'
        '<h2 class="section">All checks</h2>'
        f'<div class="grid">{card_html(cards[-1], written)}</div>'
    )
    parts = parts_json(
        [
            (("table", "fails"), heat),
            *([(("table", "fails"), by_run)] if by_run else []),
            (("check",), {"0": no_panel}),
        ],
        cards,
    )
    chunks = _chunks(panels, checks, cards)
    words = shared_words([*parts, *(part for found in chunks.values() for part in found)])
    content = {
        "rows": made.rows,
        "narrow": {"table": "checks", "columns": list(NARROWED)},
        "words": words,
        "parts": parts,
        "chunks": {"filter": "check", "files": ["", *(f"data/{_file(row)}.js" for row in checks)]},
    }
    return Page(NAME, HEADING, body, payload(NAME, meta, cards, filters, **content), styles=(NAME,), chunks=chunks)


def _heat_states(results: Results, checks: list[Row], filters: list[dict[str, Any]]) -> dict[str, State]:
    tables, fails = filters[0]["values"], filters[1]["values"]
    present = list(dict.fromkeys(row["table_name"] for row in checks))
    states = {}
    for (at, table), (kind, severity) in product(enumerate(tables), enumerate(fails)):
        chosen = [
            row
            for row in checks
            if (at == 0 or spoken(row["table_name"]) == table[0]) and (kind == 0 or row["severity"] == severity[0])
        ]
        states[f"{at}|{kind}"] = quality_heat.selected(results, chosen, present, is_all=at == 0)
    return states


def _panel_states(
    published: Published, meta: SiteMeta, results: Results, checks: list[Row], trail: Trail
) -> dict[str, State]:
    pages = {page.check.check_id: page.check for page in meta.catalogue}
    known = pages or checks_of(published.contract)
    states = {}
    for place, row in enumerate(checks, start=1):
        check_id = row["check_id"]
        made = panel_state(row, known.get(check_id), results.named(check_id))
        made.text |= {"check.page": f"{catalogue.NAME}/{check_id}.html"} if check_id in pages else {}
        made.text |= trail.words(check_id)
        states[str(place)] = made
    return states


def _chunks(panels: Mapping[str, State], checks: list[Row], cards: Sequence[Card]) -> dict[str, Any]:
    """What the panel says of each check, in a file for each data set: nobody opens them all."""
    files: dict[str, dict[str, State]] = {}
    for place, row in enumerate(checks, start=1):
        files.setdefault(_file(row), {})[str(place)] = panels[str(place)]
    return {name: parts_json([(("check",), states)], cards) for name, states in files.items()}


def _file(row: Row) -> str:
    return f"{NAME}-{row['table_name']}"


def _later(meta: SiteMeta, checks: list[Row]) -> int:
    """How many checks run on the written files, and so after this page was made."""
    known = {row["check_id"] for row in checks}
    return sum(page.check.stage is Stage.PUBLISHED and page.check.check_id not in known for page in meta.catalogue)


def _pack(meta: SiteMeta) -> str:
    """Where the evidence pack of this site is; empty if it has none."""
    return f"{PACKS}/{pack_name(meta.stamp, meta.release)}" if meta.release and meta.has("evidence") else ""


def _json_link(meta: SiteMeta) -> str:
    return f'<a href="{esc(_pack(meta))}/checks.json">All results as JSON</a>' if _pack(meta) else ""


def _lead(published: Published, meta: SiteMeta, attention: list[Row]) -> str:
    names = [clean(row["title"]) for row in attention[:NAMED]]
    more = len(attention) - len(names)
    listed = listing([*names, plural(more, "other")] if more else names)
    need = f" {plural(len(attention), 'needs', 'need')} attention: {listed}." if attention else ""
    pack = f' <a href="{esc(_pack(meta))}/index.html">Evidence pack of this release</a>' if _pack(meta) else ""
    runs = published.rows("run")
    began = runs_log.lead(runs) if runs else "<strong>These numbers were released.</strong>"
    signed = f" {quality_audit.signed_words(published)}" if quality_audit.is_there(published) else ""
    return (
        f'<p class="lead">{began} <span>{esc(meta.checks)}.{esc(need)}{esc(signed)} '
        f"Every row that is set aside is kept with its reason and counts again once it is corrected.</span>{pack}</p>"
    )


def _tiles(made: State, published: Published, meta: SiteMeta, checks: list[Row], deliveries: list[Row]) -> None:
    ingested = sum(row["ingested"] for row in deliveries)
    aside = sum(row["quarantined"] for row in deliveries)
    wrong = sum(not reconciles(row) for row in deliveries)
    failed = sum(row["status"] in ("fail", "error") for row in checks)
    refused = sum(row["state"] != "accepted" for row in deliveries)
    known = published.rates.get((None, None, ANY_CARE, published.default_definition), {}).get("completeness")
    shown = whole(known)
    is_low = shown is not None and shown < COMPLETENESS_TARGET_PERCENT
    target = f"target {COMPLETENESS_TARGET_PERCENT}%"
    ended, because = _ended(published.rows("run"))
    made.text = {
        "checks.number": count(meta.checks_passed),
        "checks.unit": f"of {meta.checks_total:,}",
        "checks.sub": f"{plural(meta.warnings, 'warning')}, {failed:,} failed",
        "release.number": ended,
        "release.sub": because,
        "aside.number": percent(aside / ingested) if aside == 0 or not ingested else _share(aside, ingested),
        "aside.sub": f"{aside:,} of {plural(ingested, 'row')}",
        "newest.number": short_day(meta.stamp) or DASH,
        "newest.sub": (
            f"{plural(len(deliveries), 'delivery', 'deliveries')}, "
            f"{f'{refused:,} not accepted' if refused else 'all accepted'}"
        ),
        "reconcile.number": "Exact" if not wrong else "Wrong",
        "reconcile.sub": (
            "ingested = accepted + quarantined + superseded + rejected"
            if not wrong
            else f"▼ {plural(wrong, 'delivery', 'deliveries')} do not add up"
        ),
    }
    if known is not None:
        made.text |= {"known.number": percent(known), "known.sub": f"▼ Below the {target}" if is_low else target}
    flagged = (("checks", failed), ("release", ended != RELEASED), ("known", is_low), ("reconcile", wrong))
    made.alert = [name for name, is_bad in flagged if is_bad]


def _ended(runs: list[Row]) -> tuple[str, str]:
    """How the last run ended, and by what; a site that knows nothing of runs is one that was released."""
    state = runs[-1]["state"] if runs else ""
    if state == "held":
        return "Held", f"by {clean(runs[-1]['held_by'])}"
    if state in ("failed", "unfinished"):
        return "Failed", "the last run; the numbers before it stay"
    return RELEASED, "no blocking check stopped it"


def _tiles_html(made: State) -> str:
    return "".join(
        tile_html(tile_id, label, definition, made, passport)
        for tile_id, label, definition, passport in TILES
        if f"{tile_id}.number" in made.text
    )


def _filters(checks: list[Row], tables: list[str]) -> list[dict[str, Any]]:
    present = sorted({row["table_name"] for row in checks}, key=lambda name: place_of(name, tables))
    fails = selection_filter("fails", "If it fails", [("", "Sets aside, stops or warns")])
    fails["values"] += [[key, words, [SEVERITY[key]]] for key, words in FAILS.items()]
    results = selection_filter("result", "Result", [("", "All results")])
    results["values"] += [
        ["attention", "Needs attention", list(ATTENTION)],
        ["pass", "Passed", list(PASSED)],
        ["aside", STATUS["pass_with_violations"].removeprefix("✓ "), ["pass_with_violations"]],
        ["none", "Not applicable", ["not_applicable"]],
    ]
    labels = [(spoken(name), spoken(name)) for name in present]
    names = [(row["check_id"], row["title"]) for row in checks]
    return [
        selection_filter("table", "Data set", [("", "All data sets"), *labels]),
        fails,
        results,
        selection_filter("check", "Check", [("", "All checks"), *names]),
    ]


def _share(part: int, total: int) -> str:
    """Return a share that may be small: two decimals below one percent."""
    share = 100 * part / total
    return f"{share:.1f}%" if share >= 1 else f"{share:.2f}%"
