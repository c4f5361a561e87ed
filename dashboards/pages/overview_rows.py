"""Rows of the overview's tables as HTML: one condition or one clinic, all numbers of which stand beside each other.

A number that is not shown leaves words in its place, never a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from assets.contract.charts import MONTHS
from assets.contract.definitions import COMPLETENESS_TARGET_PERCENT
from dashboards import clinic_words
from dashboards.figures.sparkline import interval_svg, months_svg
from dashboards.markup import esc
from dashboards.pages.clinic_frames import MONTH, RECOVERED, ClinicFrames
from dashboards.pages.clinic_selection import HIDDEN
from dashboards.pages.rate_rows import rate_words
from dashboards.words import ANY_CARE, DASH, count, decimal, percent, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dashboards.pages.frame import SiteMeta
    from dashboards.published import Published, Row

LAST_MONTHS = 24
LEAST_POINTS = 12
"""Months that a chart needs before anything is judged by it."""
CHANGES = {
    "better": ("up", "\N{BLACK UP-POINTING TRIANGLE} Improving"),
    "concern": ("down", "\N{BLACK DOWN-POINTING TRIANGLE} Concern"),
    "stable": ("", "\N{BLACK CIRCLE} Stable"),
}
"""Verdict of a control chart -> class and words of its badge."""
BELOW = "\N{BLACK DOWN-POINTING TRIANGLE}"
DAYS_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class Subject:
    """What a row is about: a condition of all clinics, or a clinic with all its conditions."""

    label: str
    condition: str | None
    clinic: str | None

    @property
    def place(self) -> tuple[str | None, str | None]:
        """Condition and clinic, as frames are indexed."""
        return self.condition, self.clinic


@dataclass(frozen=True, slots=True)
class Column:
    """A column: class and words of its heading (HTML), and what makes its cells."""

    css: str
    words: str
    cell: Callable[[Glance, Subject], str]


@dataclass(frozen=True)
class Glance:
    """What the overview reads: any care, all periods, the definition in force."""

    published: Published
    meta: SiteMeta

    @cached_property
    def frames(self) -> ClinicFrames:
        """The frames about clinics and calendar time."""
        return ClinicFrames(self.published)

    @cached_property
    def periods(self) -> list[str]:
        """The last months that can be charted, the same in every row."""
        every = {
            row["period"]
            for rows in self.frames.over_time.values()
            for row in rows
            if row["time_unit"] == MONTH and row["value"] is not None
        }
        if not every:
            return []
        last = _month(max(every))
        return [f"{month // 12:04d}-{month % 12 + 1:02d}" for month in range(last - LAST_MONTHS + 1, last + 1)]

    @cached_property
    def times(self) -> dict[tuple[str | None, str | None], Row]:
        """Times to recovery by condition and clinic."""
        rows = self.published.rows("recovery_time")
        return {(row["condition_id"], row["clinic_key"]): row for row in rows if row["care"] == ANY_CARE}

    def rate(self, subject: Subject) -> Row | None:
        """Recovery by the definition in force."""
        return self.published.rates.get((*subject.place, ANY_CARE, self.published.default_definition))


def columns(name: str, glance: Glance, *, of_clinics: bool) -> list[Column]:
    """Return the columns of a table; what was not published for these readers has none."""
    months = f"{LAST_MONTHS} months"
    if glance.periods:
        year, month = glance.periods[-1].split("-")
        months += f" <small>to {MONTHS[int(month) - 1]} {year}</small>"
    wanted = (
        ("", "", f"{name} <small>known outcomes</small>", _name_cell),
        ("", "num", "Recovered <small>95% CI</small>", _rate_cell),
        ("", "drawn", f"0 to 100% <small>{'| all clinics' if of_clinics else ''}</small>", _drawn_cell),
        ("", "num known", f"Outcome known <small>rate at worst{DASH}best</small>", _known_cell),
        ("clinic_funnel" if of_clinics else None, "", "Against the network", _against_cell),
        ("outcome_over_time", "", months, _months_cell),
        ("outcome_signal", "", "Change over time", _change_cell),
        ("recovery_time", "num", "Median weeks", _median_cell),
        ("pain_change", "num", "Pain change", _pain_cell),
    )
    return [
        Column(css, words, cell)
        for table, css, words, cell in wanted
        if table is not None and (not table or glance.published.rows(table))
    ]


def table_html(title: str, columns: Sequence[Column], subjects: Sequence[Subject], glance: Glance) -> str:
    """Return the table of the subjects, in a region that scrolls where it is too wide."""
    head = "".join(f'<th scope="col"{_css(column.css)}>{column.words}</th>' for column in columns)
    body = "".join(f"<tr>{''.join(column.cell(glance, subject) for column in columns)}</tr>" for subject in subjects)
    return (
        f'<div class="scroll glance" role="region" tabindex="0" aria-label="{title}">'
        f"<table><caption>{title}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _name_cell(glance: Glance, subject: Subject) -> str:
    row = glance.rate(subject)
    name = "condition" if subject.clinic is None else "clinic"
    label = linked(glance.meta, "recovery", name, subject.clinic or subject.condition or "", subject.label)
    size = "" if row is None or not row["n"] else f" <small>about {count(row['n'])}</small>"
    return f'<th scope="row">{label}{size}</th>'


def _rate_cell(glance: Glance, subject: Subject) -> str:
    row = glance.rate(subject)
    words = rate_words(row, glance.meta)
    if words or row is None:
        return _no_number(words)
    low, high = whole(row["rate_low"]), whole(row["rate_high"])
    about = "\N{ALMOST EQUAL TO}" if row.get("approximate") else ""
    span = "" if low is None or high is None else f" <small>{low}{DASH}{high}</small>"
    return f'<td class="num rate"><strong>{about}{percent(row["rate"])}</strong>{span}</td>'


def _drawn_cell(glance: Glance, subject: Subject) -> str:
    row = glance.rate(subject)
    rate = None if row is None else whole(row["rate"])
    if row is None or rate is None:
        return '<td class="drawn"></td>'
    network = None if subject.clinic is None else glance.rate(Subject(subject.label, subject.condition, None))
    tick = None if network is None else whole(network["rate"])
    drawing = interval_svg(rate, whole(row["rate_low"]), whole(row["rate_high"]), tick)
    return f'<td class="drawn">{drawing}</td>'


def _against_cell(glance: Glance, subject: Subject) -> str:
    """The zone of the funnel, which is the one rule for above and below; the reason where a clinic is not compared."""
    row = glance.frames.funnel.get(subject.place)
    if row is not None and row["zone"] is not None:
        css = {"above": "up", "below": "down"}.get(row["zone"], "")
        return f"<td>{badge(css, clinic_words.zone_words(row['zone']))}</td>"
    if row is not None and row["not_compared"] == clinic_words.TOO_INCOMPLETE:
        return _words(f"not compared: {percent(row['completeness'])} known")
    return _words(clinic_words.not_compared(row, glance.meta))


def _months_cell(glance: Glance, subject: Subject) -> str:
    rows = glance.frames.over_time.get(subject.place, [])
    if not rows:
        return _words("not charted")
    if rows[0]["time_unit"] != MONTH:
        return _words("years only")
    if sum(row["value"] is not None for row in rows) < LEAST_POINTS:
        return _words("too few a month")
    return f"<td>{months_svg({row['period']: row for row in rows}, glance.periods)}</td>"


def _change_cell(glance: Glance, subject: Subject) -> str:
    signal = glance.frames.signals.get(subject.place, {}).get(RECOVERED)
    known = CHANGES.get(signal["verdict"] if signal else "")
    return f"<td>{badge(*known)}</td>" if known else _words("not judged")


def _median_cell(glance: Glance, subject: Subject) -> str:
    row = glance.times.get(subject.place)
    if row is None or row["suppressed"]:
        return _no_number(HIDDEN)
    if row["median_day"] is None:
        return _no_number("not reached")
    return f'<td class="num">{decimal(row["median_day"] / DAYS_A_WEEK)}</td>'


def _pain_cell(glance: Glance, subject: Subject) -> str:
    row = glance.published.pain.get((*subject.place, ANY_CARE))
    if row is None or row["change_mean"] is None:
        return _no_number(HIDDEN if row is not None and row["suppressed"] else "no two scores")
    return f'<td class="num">{decimal(-row["change_mean"])}</td>'


def _known_cell(glance: Glance, subject: Subject) -> str:
    row = glance.rate(subject)
    if row is None or row["completeness"] is None:
        return _no_number(HIDDEN if row is not None and row["suppressed"] else "no closed episode")
    known = percent(row["completeness"])
    if (whole(row["completeness"]) or 0) < COMPLETENESS_TARGET_PERCENT:
        known = f'<span class="low">{BELOW} {known}</span>'
    worst, best = whole(row["rate_if_missing_none"]), whole(row["rate_if_missing_all"])
    bounds = "" if worst is None or best is None else f"<small>{worst}{DASH}{best}</small>"
    return f'<td class="num">{known}{bounds}</td>'


def badge(css: str, words: str) -> str:
    """Return a symbol and a word in a pill; colour only repeats them."""
    return f'<span class="badge{css and f" {css}"}">{esc(words)}</span>'


def linked(meta: SiteMeta, page: str, name: str, key: str, label: str) -> str:
    """Return a label as a link to a page with a filter set; as text where the site has no such page."""
    return f'<a href="{page}.html#{esc(urlencode({name: key}))}">{esc(label)}</a>' if meta.has(page) else esc(label)


def _words(words: str, css: str = "words") -> str:
    return f'<td class="{css}">{esc(words)}</td>'


def _no_number(words: str) -> str:
    return _words(words, "num words")


def _css(css: str) -> str:
    return f' class="{css}"' if css else ""


def _month(period: str) -> int:
    return int(period[:4]) * 12 + int(period[5:]) - 1


def outside(glance: Glance, zone: str) -> list[tuple[str, str]]:
    """Key and label of the clinics in a zone of the funnel, all conditions together."""
    return [item for item in glance.published.clinics if _compared(glance, item[0], "zone") == zone]


def incomplete(glance: Glance) -> list[tuple[str, str]]:
    """Key and label of the clinics of which too few outcomes are known to compare them."""
    reason = clinic_words.TOO_INCOMPLETE
    return [item for item in glance.published.clinics if _compared(glance, item[0], "not_compared") == reason]


def _compared(glance: Glance, clinic: str, column: str) -> str | None:
    row = glance.frames.funnel.get((None, clinic))
    return None if row is None else row[column]


def changing(glance: Glance, verdict: str) -> list[tuple[str, str]]:
    """Key and label of the clinics whose control chart says so, all conditions together."""
    signals = glance.frames.signals
    return [
        item
        for item in glance.published.clinics
        if (row := signals.get((None, item[0]), {}).get(RECOVERED)) and row["verdict"] == verdict
    ]
