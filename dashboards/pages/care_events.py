"""Safety: unwanted events, who was asked about them, serious events over time, precautions.

Not recorded is never none. Counts of 1 to 10 patients, and what would tell them, stand in words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dashboards.care_words import EVENTS, PRECAUTIONS, in_order, label_of
from dashboards.figures import event_gaps, interval_dot, share_bars
from dashboards.markup import clean
from dashboards.pages.filled import filled
from dashboards.pages.parts import Card, Column, Key, Table
from dashboards.words import DASH, count, listing, percent, plural, whole

if TYPE_CHECKING:
    from dashboards.pages.filled import Filled
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Cell
    from dashboards.published import Published, Row

NEEDLING = "needling"
SERIOUS, MINOR, ANY = "any_major", "any_minor", "any"
ANTITHROMBOTICS = (
    "Antithrombotic medication is a caution, no absolute contraindication. Not asked never means that a patient has "
    "none."
)

EVENT_CARD = Card(
    "events",
    "How safe is dry needling here?",
    7,
    "Events per 100 needling sessions at which they were asked for, with the exact 95% interval. Sessions without the "
    "question are in no rate. None seen is not no risk: the table says how often it could still happen. Serious events "
    "are reviewed one by one; a rate is not a substitute for that review. Published surveys, in the table, asked in "
    "other ways: who asks more finds more.",
    Table(
        "events",
        "Unwanted events after needling",
        (
            Column("Event"),
            Column("Events", "int"),
            Column("Per 100 sessions", "int"),
            Column("95% CI", "int"),
            Column("In words"),
            Column("Published surveys, per 100"),
        ),
        written=3,
    ),
    keys=(Key("dot", "events per 100 sessions, with 95% interval"),),
)
ASKED = Card(
    "asked",
    "Were patients asked about events?",
    5,
    "Share of needling sessions at which unwanted events were asked for, clinics in alphabetical order. A clinic that "
    "does not ask has no rate: 'not recorded' is never 'none'. One that asks more and finds more is not less safe.",
    Table(
        "asked",
        "Recording of events by clinic",
        (
            Column("Clinic"),
            Column("Needling sessions", "int"),
            Column("Asked at", "int"),
            Column("Asked", "pct"),
            Column("Any event per 100", "int"),
            Column("95% CI", "int"),
            Column("Why no rate"),
        ),
        written=1,
    ),
    keys=(Key("filled", "sessions at which events were asked for"),),
)
GAPS = Card(
    "gaps",
    "Serious events over time",
    5,
    "Needling sessions between one serious event and the next, in their order, all clinics together (g-chart). "
    "Solid: middle value if nothing changes. Dashed: upper limit, passed by chance about once in 740. A long gap means "
    "that serious events became rarer; seven in a row below the middle, or zeros in a row, that they became more "
    "frequent. No dates and no clinics, so that nobody can be recognised.",
    Table(
        "gaps",
        "Sessions between serious events",
        (Column("Event"), Column("Sessions", "int"), Column("Signal")),
        written=1,
    ),
    keys=(
        Key("circle", "ordinary"),
        Key("above", "longer than the limit"),
        Key("below", "short, in a run"),
    ),
)
PRECAUTION = Card(
    "precautions",
    "Was it asked before needling?",
    7,
    "Bar: share of patients with a yes or no on record. Needled: patients with a yes who had dry needling at any "
    "visit; what was known on that day is not in the data. A precaution is no prohibition.",
    Table(
        "precautions",
        "Precautions to needling",
        (
            Column("Precaution"),
            Column("Yes or no", "pct"),
            Column("Patients with a yes", "int"),
            Column("Of these needled", "int"),
            Column("Share", "pct"),
            Column("Needling sessions", "int"),
            Column("Unknown", "int"),
            Column("Not asked", "int"),
        ),
        written=1,
    ),
    keys=(Key("filled", "patients with a yes or no"),),
)


def events(published: Published, meta: SiteMeta) -> Filled:
    """Unwanted events of all clinics, one kind per row."""
    rows = _rates(published)
    benchmarks = {row["evidence_id"]: row for row in published.rows("evidence") if row["kind"] == "harm"}
    kinds = in_order(EVENTS, set(rows))
    marks: list[interval_dot.IntervalRow] = [
        {
            "label": label_of(EVENTS, kind),
            "note": "",
            "value": rows[kind]["rate_per_100"],
            "low": rows[kind]["rate_low"],
            "high": rows[kind]["rate_high"],
            "text": _mark_text(rows[kind]),
            "words": _no_rate(rows[kind], meta),
        }
        for kind in kinds
    ]
    cells: list[list[Cell]] = [
        [label_of(EVENTS, kind), *_event_cells(rows[kind], meta), _published(rows[kind], benchmarks)] for kind in kinds
    ]
    spec = interval_dot.spec(marks, "Events per 100 sessions with recording")
    return filled(EVENT_CARD, _events_say(rows, meta), cells, spec)


def asked(published: Published, meta: SiteMeta) -> Filled:
    """How often clinics asked about events, and what they found."""
    found = {
        row["clinic_key"]: row
        for row in published.rows("adverse_event_rate")
        if row["session_kind"] == NEEDLING and row["event_type"] == ANY and row["clinic_key"] is not None
    }
    clinics = [(label, found[key]) for key, label in published.clinics if key in found]
    marks: list[share_bars.ShareRow] = [
        {"label": label, "share": row["recorded_share"] or None, "wider": None, "words": _not_asked(row, meta)}
        for label, row in clinics
    ]
    cells: list[list[Cell]] = [[label, *_asked_cells(row, meta)] for label, row in clinics]
    never = [label for label, row in clinics if row["recorded_sessions"] == 0]
    say = f"Not recorded at {listing(never)}: events there are not known." if never else ""
    whole_network = next(
        (row for row in published.rows("adverse_event_rate") if _is_whole(row) and row["recorded_share"] is not None),
        None,
    )
    if whole_network is not None:
        share, sessions = (
            percent(whole_network["recorded_share"]),
            plural(whole_network["sessions"], "needling session"),
        )
        say = f"Asked for at {share} of {sessions}. {say}".strip()
    return filled(ASKED, say or "No needling sessions on record.", cells, share_bars.spec(marks, "Sessions asked"))


def gaps(published: Published) -> Filled:
    """Return the chart of serious events over time, or why there is none."""
    chart = next(iter(published.rows("adverse_event_chart")), None)
    points = sorted(published.rows("adverse_event_gap"), key=lambda row: row["position"])
    points = [row for row in points if row["sessions_between"] is not None]
    if chart is None or chart["upper_limit"] is None or not points:
        reason = None if chart is None else chart["reason"]
        hidden = "Serious events are too few to show" if chart is not None and chart["suppressed"] else None
        why = f"{clean(reason or hidden or 'No needling sessions on record')}."
        return filled(GAPS, f"Not drawn. {why}", [])
    cells: list[list[Cell]] = [[str(row["position"]), row["sessions_between"], _signal(row) or DASH] for row in points]
    spec = event_gaps.spec(points, chart["centre"], chart["upper_limit"])
    return filled(GAPS, _gaps_say(points, chart), cells, spec)


def precautions(published: Published, meta: SiteMeta) -> Filled:
    """Who was asked about precautions, and who was needled with one."""
    found = {
        (row["precaution_type"], row["state"]): row
        for row in published.rows("precaution_exposure")
        if row["clinic_key"] is None
    }
    kinds = in_order(PRECAUTIONS, {key[0] for key in found})
    shares = {kind: _answered([row for key, row in found.items() if key[0] == kind]) for kind in kinds}
    marks: list[share_bars.ShareRow] = [
        {
            "label": label_of(PRECAUTIONS, kind),
            "share": shares[kind],
            "wider": None,
            "words": "" if shares[kind] is not None else _would_tell(meta),
        }
        for kind in kinds
    ]
    cells: list[list[Cell]] = [
        [
            label_of(PRECAUTIONS, kind),
            "not shown" if shares[kind] is None else whole(shares[kind]),
            *_needled_cells(found.get((kind, "yes"))),
            *(_patients(found.get((kind, state))) for state in ("unknown", "not_asked")),
        ]
        for kind in kinds
    ]
    spec = share_bars.spec(marks, "Patients with a yes or no")
    return filled(PRECAUTION, _precautions_say(found, kinds, meta), cells, spec)


def _is_whole(row: Row) -> bool:
    return row["clinic_key"] is None and row["session_kind"] == NEEDLING


def _rates(published: Published) -> dict[str, Row]:
    return {row["event_type"]: row for row in published.rows("adverse_event_rate") if _is_whole(row)}


def _per_100(value: float | None) -> str:
    """Return a rate with two significant digits; rare events need more decimals than frequent ones."""
    if value is None:
        return DASH
    return f"{value:.0f}" if value == 0 or value >= 10 else f"{float(f'{value:.1e}'):g}"  # noqa: PLR2004 - two digits


def _mark_text(row: Row) -> str:
    none_seen = row["events"] == 0 and row["zero_one_in"] is not None
    return f"  none: at most 1 in {count(row['zero_one_in'])}" if none_seen else _per_100(row["rate_per_100"])


def _would_tell(meta: SiteMeta) -> str:
    return f"not shown: it would tell of {meta.too_few_patients}"


def _no_rate(row: Row, meta: SiteMeta) -> str:
    """Return why a kind of event has no rate; empty if it has one."""
    if row["rate_per_100"] is not None:
        return ""
    return "not recorded: nobody was asked" if row["recorded_sessions"] == 0 else _would_tell(meta)


def _none_seen(row: Row) -> str:
    return (
        f"none in {plural(row['recorded_sessions'], 'session')}: at most 1 in {count(row['zero_one_in'])} (95% certain)"
    )


def _event_cells(row: Row, meta: SiteMeta) -> list[Cell]:
    why = _no_rate(row, meta)
    if why:
        return [DASH, DASH, DASH, why[:1].upper() + why[1:]]
    words = _none_seen(row) if row["events"] == 0 else f"at {plural(row['event_sessions'], 'session')}"
    ends = f"{_per_100(row['rate_low'])} to {_per_100(row['rate_high'])}"
    return [row["events"], _per_100(row["rate_per_100"]), ends, words[:1].upper() + words[1:]]


def _published(row: Row, benchmarks: dict[str, Row]) -> str:
    found = (benchmarks.get(key) for key in (row["evidence_ids"] or "").split())
    texts = [_benchmark(item) for item in found if item is not None and item["effect"] is not None]
    return "; ".join(texts) or DASH


def _benchmark(item: Row) -> str:
    share = f"{100 * item['effect']:.3g}"
    bound = f" (up to {100 * item['high']:.3g})" if item["effect"] == 0 and item["high"] is not None else ""
    short = re.match(r".*? \d{4}", item["citation"])
    return f"{share}{bound}, {clean(short[0] if short else item['citation'])}"


def _events_say(rows: dict[str, Row], meta: SiteMeta) -> str:
    serious, minor = rows.get(SERIOUS), rows.get(MINOR)
    if serious is None or serious["sessions"] is None:
        return "No needling sessions on record, or too few to show."
    if serious["recorded_sessions"] == 0:
        return "Not recorded: nobody was asked about unwanted events, so how often they happen is not known."
    if serious["events"] == 0:
        text = (
            f"No serious event in {plural(serious['recorded_sessions'], 'session')} at which it was asked: at most 1 "
            f"in {count(serious['zero_one_in'])} is still possible (95% certain)."
        )
    elif serious["events"] is None:
        text = f"Serious events: not shown, fewer than {meta.minimum_group} patients had one or were asked."
    else:
        ends = f"{_per_100(serious['rate_low'])} to {_per_100(serious['rate_high'])}"
        text = (
            f"{plural(serious['events'], 'serious event')} in {plural(serious['recorded_sessions'], 'session')}: "
            f"{_per_100(serious['rate_per_100'])} per 100 (95% CI {ends})."
        )
    if minor is None or minor["rate_per_100"] is None:
        return text
    return f"{text} Minor events were recorded {_per_100(minor['rate_per_100'])} times per 100 sessions."


def _not_asked(row: Row, meta: SiteMeta) -> str:
    if row["recorded_share"]:
        return ""
    return "not recorded: nobody was asked" if row["recorded_sessions"] == 0 else meta.too_few_patients


def _asked_cells(row: Row, meta: SiteMeta) -> list[Cell]:
    if row["suppressed"]:
        return [meta.hidden, *["not shown"] * 2, DASH, DASH, f"Fewer than {meta.minimum_group} patients"]
    why = _no_rate(row, meta)
    ends = DASH if why else f"{_per_100(row['rate_low'])} to {_per_100(row['rate_high'])}"
    recorded: list[Cell] = (
        [meta.hidden, "not shown"]
        if row["recorded_sessions"] is None
        else [row["recorded_sessions"], whole(row["recorded_share"])]
    )
    return [row["sessions"], *recorded, _per_100(row["rate_per_100"]), ends, why[:1].upper() + why[1:] or DASH]


def _signal(row: Row) -> str:
    names = (
        ("is_long", "longer than the limit"),
        ("is_short", "7 in a row below the middle"),
        ("is_zero", "zeros in a row"),
    )
    return ", ".join(words for name, words in names if row[name])


def _gaps_say(points: list[Row], chart: Row) -> str:
    start = f"{plural(chart['events'], 'serious event')} in order. "
    expected = (
        f"If nothing changes half of the gaps are below {count(round(chart['centre']))} sessions and nearly all below "
        f"{count(round(chart['upper_limit']))}."
    )
    fired = [
        f"{sum(bool(row[name]) for row in points)} {words}"
        for name, words in (
            ("is_long", "longer than the limit"),
            ("is_short", "in a run of 7 below the middle"),
            ("is_zero", "in a run of zeros"),
        )
        if any(row[name] for row in points)
    ]
    signal = (
        f"Signal: of {plural(len(points), 'gap')}, {listing(fired)}." if fired else "No signal: ordinary variation."
    )
    return f"{start}{signal} {expected}"


def _answered(rows: list[Row]) -> float | None:
    """Return the share of patients with a yes or no; it stands in every row of a precaution, or in none."""
    return next((row["answered_share"] for row in rows if row["answered_share"] is not None), None)


def _needled_cells(row: Row | None) -> list[Cell]:
    """Return patients with a yes, and how many of them were needled; hidden ones in words."""
    if row is None:
        return [0, None, None, None]
    if row["needled_patients"] is None:
        return [_patients(row), *["not shown"] * 3]
    return [row["patients"], row["needled_patients"], whole(row["needled_share"]), row["needling_sessions"]]


def _patients(row: Row | None) -> Cell:
    """Return a number of patients; a hidden one may also be a larger one that would tell of a small one."""
    if row is None:
        return 0
    return "not shown" if row["patients"] is None else row["patients"]


def _precautions_say(found: dict[tuple[str, str], Row], kinds: list[str], meta: SiteMeta) -> str:
    if not kinds:
        return "No precaution is on record."
    told, hidden = [], []
    for kind in kinds:
        row, label = found.get((kind, "yes")), label_of(PRECAUTIONS, kind).lower()
        if row is None:
            continue
        if row["needled_patients"] is None or row["patients"] is None:
            hidden.append(label)
        else:
            told.append(f"{label} {count(row['needled_patients'])} of {count(row['patients'])} patients")
    parts = [f"Needled with a yes on record: {listing(told)}."] if told else []
    parts += [f"Not shown for {listing(hidden)}: it would tell of {meta.too_few_patients}."] if hidden else []
    return " ".join([*parts, ANTITHROMBOTICS])
