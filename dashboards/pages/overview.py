"""Overview ``index.html``: the whole network on one page, which needs no JavaScript.

Conditions stand in their fixed order and clinics in alphabetical order; the zone of the funnel is the one rule for
above and below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.definitions import COMPARISON_FLOOR_PERCENT
from dashboards import sentences
from dashboards.markup import clean, esc
from dashboards.pages.clinic_frames import RECOVERED
from dashboards.pages.frame import Page, empty
from dashboards.pages.overview_rows import (
    CHANGES,
    Glance,
    Subject,
    changing,
    columns,
    incomplete,
    linked,
    outside,
    table_html,
)
from dashboards.pages.parts import definition_html, passport_html
from dashboards.words import across, count, interval, listing, percent, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.pages.frame import SiteMeta
    from dashboards.published import Published

NAME, HEADING = "index", "Outcomes at a glance"
CLOSED_WEEKS = 12
MOST_LINKS = 12
"""More clinics than this make no sentence."""
NOTE = (
    "Clinics are in alphabetical order, not ranked. Above and below mean outside the 99.8% limits for a clinic of that "
    "size, possibly above and below outside the 95% limits; most differences between clinics are chance. A clinic "
    f"with under {COMPARISON_FLOOR_PERCENT}% of outcomes known is not compared. Conditions are in a fixed order: "
    "differences between them are differences between diseases. Median weeks: by then half had recovered; not reached: "
    "fewer than half had while they were followed. Rate at worst and best: if none, and if all, of the unknown had "
    "recovered. Counts are rounded to 5."
)
EVERYBODY = Subject("", None, None)
ORIGINS = (
    ("recovery_by_condition", "Recovered, and outcome known"),
    ("clinic_funnel", "Against the network"),
    ("outcome_over_time", "Change over time"),
    ("recovery_time", "Median weeks"),
    ("pain_change", "Pain change"),
)
"""Columns of the tables and the published tables they come from."""


def build(published: Published, meta: SiteMeta) -> Page:
    """Return the page."""
    if published.is_empty:
        return Page(NAME, HEADING, empty())
    glance = Glance(published, meta)
    conditions = [Subject(label, key, None) for key, label in published.conditions]
    clinics = [Subject(label, None, key) for key, label in published.clinics]
    body = (
        f"{_lead(glance)}{_first(glance)}{definition_html(published.contract.default_definition)}{_missing(glance)}"
        f"{_table(glance, 'Condition', conditions, of_clinics=False)}"
        f"{_table(glance, 'Clinic', clinics, of_clinics=True)}"
        f'<p class="notice">{NOTE}</p>{_origins(published)}'
    )
    return Page(NAME, HEADING, body, styles=("overview",))


def _lead(glance: Glance) -> str:
    """Say how many recovered, how soon, and what the control chart says."""
    row, where = glance.rate(EVERYBODY), across(glance.meta.named_clinics(glance.published.clinics))
    if row is None:
        return _paragraph("No recovery has been published", f" {where}.")
    if row["suppressed"]:
        few = f" {where}: {glance.meta.too_few}. Small groups are hidden so that no one can be recognised."
        return _paragraph("Too few episodes to show", few)
    if row["rate"] is None:
        return _paragraph("Recovery is not known for any episode", f" {where}.")
    approximately = "About " if row.get("approximate") else ""
    known = row["rate_low"] is not None and row["rate_high"] is not None
    rest = f" (95% CI {interval(row['rate_low'], row['rate_high'])})" if known else ""
    rest += f" {where}: about {plural(row['n'], 'closed episode')}."
    return _paragraph(
        f"{approximately}{percent(row['rate'])} of episodes with a known outcome ended in recovery",
        " ".join(part for part in (rest, _soon(glance), _signal(glance)) if part),
    )


def _soon(glance: Glance) -> str:
    row = glance.times.get((None, None))
    share = None if row is None else row["recovered_share_84"]
    if share is None:
        return ""
    return f"Followed from the first visit, {percent(share)} had recovered by week {CLOSED_WEEKS}."


def _signal(glance: Glance) -> str:
    """What the control chart of the network says, with the rule that it names."""
    row = glance.frames.signals.get((None, None), {}).get(RECOVERED)
    if row is None or row["verdict"] not in CHANGES:
        return "Change over time cannot be judged: too few months or years."
    return clean(row["sentence"])


def _first(glance: Glance) -> str:
    """Name the clinics outside the range expected, not compared, and those that change, with links."""
    if not glance.published.rows("clinic_funnel"):
        return ""
    below, above = outside(glance, "below"), outside(glance, "above")
    parts = [f"{_names(glance, below)} (below the expected range)"] if below else []
    parts += [f"{_names(glance, above)} (above {'it' if below else 'the expected range'})"] if above else []
    if parts:
        words = f"Look first at {listing(parts)}."
    elif any(row["zone"] for (condition, _), row in glance.frames.funnel.items() if condition is None):
        words = "No clinic is outside the expected range."
    elif len(glance.published.clinics) == 1:
        words = "There is one clinic, and none to compare it with."
    else:
        words = "No clinic can be compared with the others."
    aside = incomplete(glance)
    if aside:
        words += f" Not compared, with under {COMPARISON_FLOOR_PERCENT}% of outcomes known: {_names(glance, aside)}."
    for verdict, signal in (("concern", "a signal of concern"), ("better", "a signal for the better")):
        found = changing(glance, verdict)
        words += f" Over time, {signal} at {_names(glance, found)}." if found else ""
    return f'<p class="first">{words}</p>'


def _names(glance: Glance, clinics: Sequence[tuple[str, str]]) -> str:
    named = [linked(glance.meta, "clinics", "clinic", key, label) for key, label in clinics[:MOST_LINKS]]
    more = len(clinics) - len(named)
    return f"{', '.join(named)} and {count(more)} more" if more else listing(named)


def _missing(glance: Glance) -> str:
    notice = sentences.missing_notice(glance.rate(EVERYBODY))
    return f'<p class="notice">{esc(notice)}</p>' if notice else ""


def _table(glance: Glance, name: str, subjects: Sequence[Subject], *, of_clinics: bool) -> str:
    title = f"{name}s"
    head = f'<h2 class="section" id="{title.lower()}">{title}</h2>'
    if not subjects:
        return f'{head}<p class="notice">No {name.lower()} has an episode of care.</p>'
    found = columns(name, glance, of_clinics=of_clinics)
    return head + table_html(f"{title}: outcomes at a glance", found, subjects, glance)


def _origins(published: Published) -> str:
    """Return the ways to the passports of the columns."""
    buttons = "".join(
        f"<span>{words} {passport_html(table, words)}</span>" for table, words in ORIGINS if published.rows(table)
    )
    return f'<div class="origins js-only">{buttons}</div>'


def _paragraph(strong: str, rest: str) -> str:
    return f'<p class="lead"><strong>{esc(strong)}</strong>{esc(rest)}</p>'
