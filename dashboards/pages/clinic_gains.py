"""Adjusted gains of feeds that bring their own prediction: one card for each measure, time and kind of operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.definitions import ADJUSTED_GAIN_MINIMUM
from dashboards import clinic_words as say
from dashboards.figures import funnel
from dashboards.markup import clean
from dashboards.pages.filled import Filled
from dashboards.pages.parts import Card, Column, Key, Table
from dashboards.words import count, decimal, planned_label, plural, rounded, spoken

if TYPE_CHECKING:
    from dashboards.pages.clinic_frames import ClinicFrames
    from dashboards.pages.frame import SiteMeta
    from dashboards.pages.parts import Cell
    from dashboards.published import Row

HIDDEN = "not shown"
WRITTEN = 0
"""Rows of a table below a chart that stand in the page itself: the engine writes them."""
READ = (
    "Adjusted gain is the mean gain of all, plus how far a provider's patients came beyond what the source's own model "
    "predicted for them. Limits are those of the size: 95% dashed, 99.8% dotted. A provider with fewer than "
    f"{ADJUSTED_GAIN_MINIMUM} records that have a prediction is shown, not adjusted. The rule is that of NHS England "
    "for PROMs. Providers are in alphabetical order; this is no ranking."
)
COLUMNS = (
    Column("Provider"),
    Column("Records", "int"),
    Column("First mean", "dec2"),
    Column("Later mean", "dec2"),
    Column("Predicted mean", "dec2"),
    Column("Gain", "dec2"),
    Column("Adjusted gain", "dec2"),
    Column("95% limits low", "dec2"),
    Column("95% limits high", "dec2"),
    Column("99.8% limits low", "dec2"),
    Column("99.8% limits high", "dec2"),
    Column("Against all"),
)
NAMES = (
    *("baseline_mean", "value_mean", "predicted_mean", "gain_mean", "adjusted_gain"),
    *("low_95", "high_95", "low_998", "high_998"),
)
KEYS = (
    Key("hollow", "provider, as expected"),
    Key("above", "above the limits (hollow: possibly)"),
    Key("below", "below the limits (hollow: possibly)"),
    Key("dashed", "95% limits"),
    Key("dotted", "99.8% limits"),
)


def cards(frames: ClinicFrames, meta: SiteMeta) -> list[Filled]:
    """Return the cards, in the order of the frame; none without predictions."""
    return [_card(frames, meta, place, key) for place, key in enumerate(frames.gains)]


def _card(frames: ClinicFrames, meta: SiteMeta, place: int, key: tuple[str, int | None, str]) -> Filled:
    measure_id, day, operations = key
    labels = dict(frames.published.clinics)
    by_clinic = {row["clinic_key"]: row for row in frames.gains[key]}
    order = [item for item, _ in frames.published.clinics if item in by_clinic]
    order += sorted(set(by_clinic) - set(order))
    rows = [(labels.get(item, clean(item)), by_clinic[item]) for item in order]
    measure = next((item for item in frames.published.contract.measures if item.measure_id == measure_id), None)
    name = clean(measure.label) if measure else spoken(measure_id)
    kind = f", {spoken(operations).lower()}" if operations not in (None, "", "any") else ""
    title = f"{name}, {planned_label(day).lower()}{kind}"
    table = Table(f"gain{place}", f"Adjusted gains: {title}", COLUMNS, written=WRITTEN)
    points = _points(rows)
    spec = funnel.spec(
        points,
        _lines(rows),
        next((row["network_gain"] for _, row in rows if row["network_gain"] is not None), None),
        ("Records with a prediction", f"Adjusted gain, {measure.unit}" if measure else "Adjusted gain"),
        is_share=False,
    )
    card = Card(
        f"gain{place}",
        f"How far did patients come against the source's prediction? {title}",
        12,
        READ,
        table,
        spec=spec if points else None,
        keys=KEYS if points else (),
        say=_sentence(rows),
    )
    return Filled(card, [[label, *_cells(row, meta)] for label, row in rows])


def _points(rows: list[tuple[str, Row]]) -> list[funnel.FunnelPoint]:
    return [
        {"label": label, "n": row["n"], "value": row["adjusted_gain"], "zone": row["zone"]}
        for label, row in rows
        if row["zone"] is not None
    ]


def _lines(rows: list[tuple[str, Row]]) -> list[funnel.FunnelLine]:
    """Limits of means are smooth in size, so the providers' own are lines."""
    by_size = {row["n"]: row for _, row in rows if row["low_95"] is not None}
    return [
        {
            "at_n": size,
            "low_95": row["low_95"],
            "high_95": row["high_95"],
            "low_998": row["low_998"],
            "high_998": row["high_998"],
            "chance_low": None,
            "chance_high": None,
        }
        for size, row in sorted(by_size.items())
    ]


def _sentence(rows: list[tuple[str, Row]]) -> str:
    judged = [(label, row["zone"]) for label, row in rows if row["zone"] is not None]
    aside = sum(row["not_adjusted"] is not None or row["suppressed"] for _, row in rows)
    left = f" {plural(aside, 'provider')} not adjusted: too few records." if aside else ""
    if not judged:
        return f"No provider can be adjusted.{left}"
    inside = sum(zone == say.AS_EXPECTED for _, zone in judged)
    text = f"{count(inside)} of {plural(len(judged), 'provider')} lie within the range expected by chance."
    for zone in ("above", "below"):
        found = [label for label, own in judged if own == zone]
        text += f" {say.ZONES[zone]} the 99.8% limits: {say.names(found)}." if found else ""
    gain = next((row["network_gain"] for _, row in rows if row["network_gain"] is not None), None)
    mean = f" Mean gain of all: {decimal(gain, 2)}." if gain is not None else ""
    return f"{text}{mean}{left}"


def _cells(row: Row, meta: SiteMeta) -> list[Cell]:
    if row["suppressed"]:
        return [meta.hidden, *[HIDDEN] * 9, meta.too_few]
    place = say.zone_words(row["zone"]) if row["zone"] else f"Not adjusted: {spoken(row['not_adjusted'] or '').lower()}"
    return [row["n"], *(rounded(row[name], 2) for name in NAMES), place]
