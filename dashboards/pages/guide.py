"""How to read these pages ``guide.html``: five minutes for somebody who directs a clinic, without statistics.

Its example is invented, but it is said by the functions that say it on the other pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.definitions import (
    COMPARISON_FLOOR_PERCENT,
    COMPARISON_MINIMUM_CLINICS,
    COMPLETENESS_TARGET_PERCENT,
    PLANNED_WINDOWS,
)
from dashboards.clinic_words import AS_EXPECTED, CLASSES, SYMBOLS, ZONES
from dashboards.markup import esc
from dashboards.pages.frame import ROUNDED
from dashboards.pages.text import bullets, paragraph, text_page
from dashboards.recovery_words import Scope, lead
from dashboards.sentences import NOT_RANDOMISED, missing_notice

if TYPE_CHECKING:
    from dashboards.pages.frame import Page, SiteMeta
    from dashboards.published import Published, Row

NAME, HEADING = "guide", "How to read these pages"
EXAMPLE: Row = {
    "suppressed": False,
    "rate": 0.526,
    "rate_low": 0.511,
    "rate_high": 0.541,
    "n": 4150,
    "eligible": 5650,
    "completeness": 0.735,
    "rate_if_missing_none": 0.386,
    "rate_if_missing_all": 0.652,
}
"""A row as the table of recovery has them; of nobody."""
EXAMPLE_CLINICS = 12
WEEK = 7


def build(_: Published, meta: SiteMeta) -> Page:
    """Return the page; it needs the contract only, so it is there before any data are."""
    sections = (
        ("top", "First the line at the top", _top(meta)),
        ("rate", "One number, part by part", _rate(meta)),
        ("clinics", "Clinics side by side", _clinics(meta)),
        ("time", "Change over time", _time()),
        ("missing", "What is not shown", _missing(meta)),
        ("care", "With and without dry needling", _care()),
        ("quote", "Before you quote a number", _quote()),
        ("ask", "Whom to ask", _ask(meta)),
    )
    return text_page(NAME, HEADING, sections)


def _top(meta: SiteMeta) -> str:
    here = f" These pages say: {meta.data_to}." if meta.stamp.strip() else ""
    return (
        paragraph(
            "Below the heading of every page stand the day up to which data are in and how many checks of the data "
            f"passed.{here} A coloured bar below it means that something is not as usual:"
        )
        + bullets(
            (
                (
                    "A run was not released, or a delivery is held back: the numbers are whole, and older than you may "
                    "think. Wait with decisions that hang on the last weeks."
                ),
                (
                    "An older release is in force: somebody put it back in place of a newer one, as a rule because the "
                    "newer one was wrong. Do not use copies of that one."
                ),
                "Numbers on this page are withheld: a check found a fault that would have changed them.",
            )
        )
        + paragraph(
            "No bar: nothing is held, and the newest release is in force. Where it says Simulated data, no patient is "
            "behind the numbers."
        )
    )


def _rate(meta: SiteMeta) -> str:
    headline, rest = lead(EXAMPLE, Scope(None, EXAMPLE_CLINICS), meta)
    parts = (
        (
            "The rate",
            (
                "Of the episodes that have ended and whose outcome is known, this share ended in recovery. It is about "
                "episodes of care, not about one patient's chance."
            ),
        ),
        (
            "The range behind it (95% CI)",
            (
                "Chance alone moves a rate. The true one plausibly lies in this range. Read the range first: a rate "
                "of 60% with a range of 35 to 80% says little. Two rates whose ranges overlap widely are not known "
                "to differ."
            ),
        ),
        (
            "How many episodes",
            f"The fewer, the wider the range. {ROUNDED[meta.profile]}, so that sums may not meet exactly.",
        ),
        (
            "What recovered means",
            (
                "It stands below the number, by the definition in force. Another definition gives another rate: "
                "compare only numbers of one definition and version."
            ),
        ),
        (
            "How many outcomes are known",
            (
                f"The target is {COMPLETENESS_TARGET_PERCENT}%. Below it a sentence says how far the unknown ones "
                "could move the rate:"
            ),
        ),
    )
    listed = "".join(f"<dt>{esc(title)}</dt><dd>{esc(text)}</dd>" for title, text in parts)
    return (
        paragraph("An invented example, in the words of these pages:")
        + f'<p class="notice"><strong>{esc(headline)}</strong>{esc(rest)}</p><dl>{listed}</dl>'
        + f'<p class="notice">{esc(missing_notice(EXAMPLE))}</p>'
        + paragraph(
            "So the honest statement about this example is: about half, and somewhere between four and six or seven in "
            "ten if the unknown outcomes are unlike the known ones."
        )
    )


def _clinics(meta: SiteMeta) -> str:
    zones = "; ".join(f"{SYMBOLS[zone]} {words.lower()}" for zone, words in ZONES.items())
    may = (
        (
            "Look at clinics outside the 99.8% limits first, and look for reasons in this order: how complete and "
            "right the data are, which patients come, then care."
        ),
        (
            f"Take \N{LEFT DOUBLE QUOTATION MARK}{ZONES[AS_EXPECTED].lower()}\N{RIGHT DOUBLE QUOTATION MARK} as: not "
            "clearly different from all clinics."
        ),
        (
            "Prefer the number after adjustment for case mix where there is one: it allows for what is known of the "
            "patients."
        ),
    )
    must_not = (
        (
            "Do not rank. Clinics stand in the order of the alphabet; of clinics with the same true rate half would "
            "lie below the middle."
        ),
        "Do not set targets or pay by one number of one period.",
        "Do not read anything into a clinic that is possibly above or below: about one in twenty lies there by chance.",
        "Do not compare conditions: they heal at different speeds.",
    )
    only_own = " In the pages of one clinic the others are points without names." if meta.clinic else ""
    return (
        paragraph(
            "The funnel shows each clinic beside all together. Its limits are wide for small clinics and narrow for "
            f"large ones. The words: {zones}. Above and below: outside the 99.8% limits; possibly: outside the 95% "
            f"limits. A clinic with under {COMPARISON_FLOOR_PERCENT}% of outcomes known is not compared; the limits "
            f"are widened where {COMPARISON_MINIMUM_CLINICS} clinics or more vary by more than chance.{only_own}"
        )
        + f"<p><strong>Do</strong></p>{bullets(may)}<p><strong>Do not</strong></p>{bullets(must_not)}"
    )


def _time() -> str:
    last = max(day for day, _ in PLANNED_WINDOWS)
    return paragraph(
        "A chart over time has an average and two limits. Points go up and down between them: that is "
        f"{CLASSES['common_cause'].lower()}, and asking for the reason of each is time lost. Signals are marked: "
        f"{CLASSES['better']}; {CLASSES['concern']}. A signal says that something changed, not why."
    ) + bullets(
        (
            "Judge by the signal, not by the last point, and not by two points side by side.",
            (
                f"Months that are still open are left out: recovery is followed for {last // WEEK} weeks, so that the "
                "newest months would look worse than they will be."
            ),
            "Limits marked as trial limits rest on too few points: nothing is judged by them.",
            "After a change that was meant to last, ask for new limits; who set them and why is recorded.",
        )
    )


def _missing(meta: SiteMeta) -> str:
    counted = "; how many stands under Data quality" if meta.has("quality") else ""
    return bullets(
        (
            (
                f"Groups of fewer than {meta.minimum_group} are not shown, so that no one can be recognised. Now and "
                "then a larger one is hidden beside it, for it would give the small one away by subtraction. Nobody is "
                "told which is which. Choose more years, conditions or clinics to see a number."
            ),
            (
                "Hidden is not zero, and not bad. Do not work it out from other numbers, and do not ask for it by "
                "telephone."
            ),
            "Outcome unknown is not the same as not recovered: it is left out of the rate and counted beside it.",
            f"Rows that broke a rule are set aside until they are corrected{counted}.",
        )
    )


def _care() -> str:
    return paragraph(NOT_RANDOMISED) + paragraph(
        "The page on treatment shows them side by side, before and after adjustment for what is known of the patients. "
        "Where the groups differ too much to be compared it shows no difference at all, and says so. What trials found "
        "stands apart, under Sources."
    )


def _quote() -> str:
    return bullets(
        (
            (
                "Say the range, the number of episodes, the share of known outcomes, the definition and the day of the "
                "data."
            ),
            "Say that patients were not assigned to treatments at random.",
            (
                "Take the number from the page, not from a picture of it: \N{LEFT DOUBLE QUOTATION MARK}Where this "
                "number comes from\N{RIGHT DOUBLE QUOTATION MARK} opens what it counts, which checks stand before "
                "it, and which release it is of."
            ),
        )
    )


def _ask(meta: SiteMeta) -> str:
    quality = '<a href="quality.html">Data quality</a>' if meta.has("quality") else "the page on data quality"
    return (
        f"<p>A number looks wrong: your data quality team, with the release at the foot of the page; {quality} shows "
        "what "
        'was checked. What a word means: <a href="definitions.html">Definitions</a>. What a number counts: '
        '<a href="numbers.html">Numbers</a>. A bar at the top that stays: your data engineers. Whether a group may be '
        "shown to others: whoever answers for privacy; these pages were made for the readers named at their foot.</p>"
    )
