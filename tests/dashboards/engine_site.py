"""A small site for the page engine alone: parts, a part loaded on demand, one that is missing, drill, passports."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

from plotly.offline import get_plotlyjs, get_plotlyjs_version

from dashboards.figures import interval_dot
from dashboards.markup import plot_text, script_json
from dashboards.pages.frame import Page, document
from dashboards.pages.parts import (
    Card,
    Column,
    State,
    Table,
    card_html,
    filters_html,
    joined,
    slot,
    table_html,
    tile_html,
    when,
)
from dashboards.pages.payload import parts_json, payload, selection_filter, table_json
from dashboards.scripts import lean
from dashboards.status import STATUS_FILE, status_script
from dashboards.theme import stylesheet

if TYPE_CHECKING:
    from pathlib import Path

    from dashboards.figures.build import Spec
    from dashboards.pages.frame import SiteMeta

CLINICS = (("", "All clinics"), ("a", "Harbour"), ("b", "Northgate"), ("c", "Riverside"))
"""Numbers of Harbour are in the page, those of Northgate in a file of their own; the file of Riverside is missing."""
CONDITIONS = (("", "All conditions"), ("neck", "Neck pain"), ("back", "Low back pain"))
LONG = "M" * 10_000
PASSPORT = "recovery_by_condition"
SIDE = Table("side", "Clinics in a table of its own", (Column("Clinic", "drill:clinic"),), passport=PASSPORT)
TABLE = Table(
    "rates",
    "Rates by condition",
    (Column("Condition", "drill:condition"), Column("Episodes", "int"), Column("Rate", "pct"), Column("Note")),
)


def write(folder: Path, meta: SiteMeta) -> None:
    """Write the site."""
    static = resources.files("dashboards").joinpath("static")
    page, chunk = _page(meta)
    files = {
        "recovery.html": document(page, meta),
        STATUS_FILE: status_script("").decode(),
        "data/recovery.js": f"window.DASH={script_json(page.payload)};\n",
        "data/recovery-b.js": f"window.DASH_CHUNK(2,{script_json(chunk)});\n",
        "data/passports.js": f"window.DASH_PASSPORTS={script_json(_passports())};\n",
        "assets/style.css": stylesheet() + static.joinpath("style.css").read_text(encoding="utf-8"),
        "assets/theme.js": lean(static.joinpath("theme.js").read_text(encoding="utf-8")),
        "assets/app.js": lean(static.joinpath("app.js").read_text(encoding="utf-8")),
        f"assets/plotly-{get_plotlyjs_version()}.min.js": get_plotlyjs(),
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def _page(meta: SiteMeta) -> tuple[Page, list[dict[str, Any]]]:
    filters = [
        selection_filter("clinic", "Clinic", CLINICS),
        selection_filter("condition", "Condition", CONDITIONS),
    ]
    card = Card(
        "rates",
        "Which conditions recover?",
        12,
        "Each mark is a rate.",
        TABLE,
        _figure(0),
        passport=PASSPORT,
    )
    texts = {f"{i}|{j}": _texts(i, j) for i in (0, 1) for j in range(len(CONDITIONS))}
    figures = {str(j): _rows(j) for j in range(len(CONDITIONS))}
    chunk = parts_json([(["condition"], {str(j): _texts(2, j) for j in range(len(CONDITIONS))})], [card])
    start = joined([texts["0|0"], figures["0"]])
    content = payload(
        "recovery",
        meta,
        [card],
        filters,
        parts=parts_json([(["clinic", "condition"], texts), (["condition"], figures)], [card]),
        chunks={"filter": "clinic", "files": ["", "", "data/recovery-b.js", "data/recovery-c.js"]},
        rows={"side": [[list(clinic)] for clinic in CLINICS[1:]]},
    )
    content["tables"]["side"] = table_json(SIDE)
    body = (
        f"{filters_html(filters)}"
        f'<p class="lead" data-lead>{slot("lead", start, "strong")}</p>'
        '<p role="status" class="visually-hidden"></p><p class="print-scope" data-scope></p>'
        f'<p data-slot="fixed">Written once.</p><p class="extra"{when("extra", start)}>Only for one condition.</p>'
        f'<section class="tiles" aria-label="Key numbers">'
        f"{tile_html('rate', 'Recovered', 'Share of episodes.', start, PASSPORT)}</section>"
        f'<div class="grid">{card_html(card, start)}</div>'
        f"{table_html(SIDE, content['rows']['side'])}"
    )
    return Page("recovery", "Recovery by condition", body, content), chunk


def _texts(clinic: int, condition: int) -> State:
    name, kind = CLINICS[clinic][1], CONDITIONS[condition][1]
    return State(
        text={"lead": f"{name}: {kind}.", "rate.number": f"{50 + 10 * clinic + condition}%", "rates.say": f"{name}."},
        alert=["rate"] if clinic == 1 else [],
        hide=[] if condition else ["extra"],
        steps={PASSPORT: [["Closed episodes", f"{100 * (clinic + 1)}"], ["Known outcomes", f"{50 * (clinic + 1)}"]]},
    )


def _rows(condition: int) -> State:
    rows = [
        ["All conditions", 500, 55, "=cmd()"],
        [["neck", "Neck pain"], 250, 61, "as is"],
        [["back", "Low back pain"], "hidden", None, LONG],
    ]
    return State(plots={"rates": _figure(condition)}, rows={"rates": rows})


def _figure(condition: int) -> Spec:
    labels = ("All conditions", "Neck pain", LONG)
    rows: list[interval_dot.IntervalRow] = [
        {
            "label": label,
            "note": "",
            "value": 50.0 + place + condition,
            "low": 40.0,
            "high": 70.0,
            "text": plot_text(label),
            "words": "",
        }
        for place, label in enumerate(labels)
    ]
    spec = interval_dot.spec(rows, "Recovered (%)")
    spec["data"][1]["customdata"] = [value for value, _ in CONDITIONS]
    spec["data"][1]["meta"] = {"drill": "condition"}
    return spec


def _passports() -> dict[str, Any]:
    return {
        PASSPORT: {
            "title": "Recovery by condition",
            "rows": [["Definition", "recovered_v1, version 1"], ["SQL", "sql/marts/episode_outcome.sql"]],
            "checks": [["P-01", "Pain score is 0 to 10", "warn"]],
        }
    }
