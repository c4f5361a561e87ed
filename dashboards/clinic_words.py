"""Clinics beside the network in words: zones, why there is no comparison, what depends on what. Never a rank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.contract.definitions import COMPARISON_FLOOR_PERCENT, COMPARISON_MINIMUM_CLINICS
from dashboards.markup import clean
from dashboards.words import DASH, decimal, interval, listing, percent, plural, spoken, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from assets.contract.model import Contract
    from dashboards.pages.frame import SiteMeta
    from dashboards.published import Row

AS_EXPECTED = "as_expected"
ZONES = {
    AS_EXPECTED: "As expected",
    "possibly_above": "Possibly above",
    "possibly_below": "Possibly below",
    "above": "Above",
    "below": "Below",
}
"""The words of every comparison of a clinic with the network."""
PLACES = {
    AS_EXPECTED: "within the range expected",
    "possibly_above": "possibly above the range expected",
    "possibly_below": "possibly below the range expected",
    "above": "above the range expected",
    "below": "below the range expected",
}
"""The same in a sentence."""
SYMBOLS = {
    AS_EXPECTED: "\N{BLACK CIRCLE}",
    "possibly_above": "\N{WHITE UP-POINTING TRIANGLE}",
    "possibly_below": "\N{WHITE DOWN-POINTING TRIANGLE}",
    "above": "\N{BLACK UP-POINTING TRIANGLE}",
    "below": "\N{BLACK DOWN-POINTING TRIANGLE}",
}
OUTSIDE, BETWEEN = ("above", "below"), ("possibly_above", "possibly_below")

TOO_FEW_PATIENTS, TOO_INCOMPLETE, ALONE = "too_few_patients", "too_incomplete", "alone"
FLOOR = f"under {COMPARISON_FLOOR_PERCENT}% of outcomes known"
CONCLUSIONS = {
    **{zone: words.lower() for zone, words in ZONES.items()},
    "most_recover": "most recover",
    "most_do_not": "most do not recover",
    "cannot_tell": "cannot tell whether most recover",
}
NO_MODEL = {
    "no_model": "no condition has a model",
    "too_few_episodes": "too few episodes for a model",
    "too_few_events": "too few outcomes of one kind for a model",
    "too_few_rows": "too few episodes for a model",
    "one_group": "one clinic only",
    "no_repeats": "one episode in each clinic",
    "constant_outcome": "all patients have the same outcome",
    "collinear": "traits repeat each other",
    "separated": "a trait tells the outcome with certainty",
    "not_identified": "the model has no single answer",
    "not_converged": "the model found no answer",
    "completeness_below_floor": FLOOR,
    "nobody_reported": "no patient with both scores",
}
"""Why an expected outcome, or a comparison with it, is missing."""

NOT_WEIGHTED = {
    "all_known": "all outcomes are known",
    "nobody_known": "no outcome is known",
    "too_few_known": "too few known outcomes to weight",
    "too_many_covariates": "too few episodes for the traits",
}
CLASSES = {
    "common_cause": "Ordinary variation",
    "better": "\N{BLACK UP-POINTING TRIANGLE} Signal for the better",
    "concern": "\N{BLACK DOWN-POINTING TRIANGLE} Signal of concern",
    "none": "Not judged",
}
RULES = {
    "outside": "outside a limit",
    "run_of_7": "7 on one side of the average",
    "two_of_three": "2 of 3 close to a limit",
    "trend_of_7": "7 rising or falling in a row",
}
MOST_NAMES = 12
"""More names than this make no sentence."""


def zone_words(zone: str) -> str:
    """``above`` with its symbol: shape and word, never colour alone."""
    return f"{SYMBOLS.get(zone, '')} {ZONES.get(zone, spoken(zone))}".strip()


def names(found: Sequence[str]) -> str:
    """Names in a sentence, a long list cut."""
    if len(found) <= MOST_NAMES:
        return listing(found)
    return f"{', '.join(found[:MOST_NAMES])} and {len(found) - MOST_NAMES} more"


def not_compared(row: Row | None, meta: SiteMeta) -> str:
    """Why a row of the funnel has no zone; empty if it has one."""
    if row is None:
        return "no episodes"
    if row["suppressed"]:
        return meta.too_few
    if row["not_compared"] == TOO_FEW_PATIENTS:
        return "no known outcome" if row["eligible"] else "no episodes"
    if row["not_compared"] == ALONE:
        return "no other clinic to compare with"
    if row["not_compared"] == TOO_INCOMPLETE:
        return f"{percent(row['completeness'])} of outcomes known, {COMPARISON_FLOOR_PERCENT}% needed"
    return "" if row["zone"] else "not compared"


def funnel_sentence(rows: Sequence[tuple[str, Row | None]], meta: SiteMeta) -> str:
    """Say who lies where, by which limits, and who is not compared and why."""
    compared = [row for _, row in rows if row is not None and row["zone"] is not None]
    text = zones_sentence(rows)
    if any(row["is_widened"] for row in compared):
        beyond = sum(row["chance_zone"] not in (AS_EXPECTED, None) for row in compared)
        text += (
            " Clinics vary more than chance explains, so the limits are widened by the variation found between them; "
            f"by chance alone {beyond} would lie outside the 95% limits."
        )
    return f"{text}{_left_out(rows, meta)}"


def zones_sentence(rows: Sequence[tuple[str, Row | None]]) -> str:
    """Say how many clinics are as expected, and name the others."""
    compared = [(label, row) for label, row in rows if row is not None and row["zone"] is not None]
    if not compared:
        return "No clinic can be compared."
    inside = sum(row["zone"] == AS_EXPECTED for _, row in compared)
    by = limits_by(row for _, row in compared)
    text = f"{inside} of {plural(len(compared), 'clinic')} {_are(inside)} within the range expected {by}."
    for zones, where in ((OUTSIDE, "Outside the 99.8% limits"), (BETWEEN, "Between the 95% and the 99.8% limits")):
        found = [f"{label} ({ZONES[row['zone']].lower()})" for label, row in compared if row["zone"] in zones]
        text += f" {where}: {names(found)}." if found else ""
    return text


def limits_by(rows: Iterable[Row | None]) -> str:
    """What the range expected allows for."""
    is_wide = any(row is not None and row["is_widened"] for row in rows)
    return "from chance and the usual variation between clinics" if is_wide else "by chance"


def shrinkage_sentence(factor: float | None) -> str:
    """How far expected outcomes are pulled towards the mean; empty where they are not."""
    if factor is None or factor == 1:
        return ""
    if factor == 0:
        return " It says nothing about patients it had not seen, so the mean of all is expected of each."
    return f" Its predictions are too extreme, so they are pulled towards the mean by the factor {decimal(factor, 2)}."


def _left_out(rows: Sequence[tuple[str, Row | None]], meta: SiteMeta) -> str:
    """Name those who are not compared, by reason."""
    reasons: dict[str, list[str]] = {}
    for label, row in rows:
        if words := not_compared(row, meta):
            reasons.setdefault(words, []).append(label)
    groups = [f"{names(found)} ({words})" for words, found in reasons.items()]
    return f" Not compared: {'; '.join(groups)}." if groups else ""


def clinic_lead(label: str, condition: str, row: Row | None, adjusted: Row | None, meta: SiteMeta) -> tuple[str, str]:
    """Return headline and rest of the first sentence about one clinic."""
    reason = not_compared(row, meta)
    if row is None or row["suppressed"] or row["value"] is None:
        return f"{label} is not compared", f" ({condition}): {reason}."
    of = f"about {plural(row['n'], 'episode')} with a known outcome"
    text = f"{percent(row['value'])} of {of} ended in recovery; of all clinics together {percent(row['network'])}."
    if reason:
        return f"{label} is not compared", f" ({condition}): {reason}. {text}"
    limits = f" The 95% limits for its size are {interval(row['low_95'], row['high_95'])}."
    return f"{label} is {PLACES[row['zone']]}", f" ({condition}). {text}{limits}{_adjusted(adjusted)}"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _adjusted(row: Row | None) -> str:
    if row is None or row["difference"] is None:
        return ""
    return (
        f" After adjustment for case mix {percent(row['observed'])} were observed where {percent(row['expected'])} "
        "were expected."
    )


def definition_groups(rows: Sequence[Row], contract: Contract) -> str:
    """Conclusions of one subject with the definitions that lead to each, in the order of the contract."""
    labels = {item.definition_id: clean(item.label) for item in contract.definitions}
    found: dict[str, list[str]] = {}
    by_id = {row["definition_id"]: row for row in rows}
    for key, label in labels.items():
        conclusion = by_id[key]["conclusion"] if key in by_id else None
        if conclusion in CONCLUSIONS:
            found.setdefault(conclusion, []).append(label)
    return "; ".join(f"{CONCLUSIONS[key]} under {listing(under)}" for key, under in found.items())


def definition_notice(subject: str, rows: Sequence[Row], contract: Contract) -> str:
    """Warn where what is said of a clinic depends on the definition; empty otherwise."""
    if not depends(rows):
        return ""
    return (
        f"What is said of {subject} depends on the definition of recovery: {definition_groups(rows, contract)}. "
        "No definition is accepted by all."
    )


def depends(rows: Sequence[Row]) -> bool:
    """Whether the conclusion differs between definitions."""
    return any(row["depends_on_definition"] for row in rows)


def spread_sentence(row: Row | None) -> str:
    """Say whether clinics can be told apart, how many patients that takes, and whether they differ beyond chance."""
    if row is None or row["suppressed"]:
        return "Too few patients to say how far clinics can be told apart."
    if row["reason"] == "no_variation":
        return "All patients have the same outcome: there is nothing to compare."
    if row["pairs"] is None:
        return f"Too few clinics can be compared to tell any two apart: {row['clinics']}."
    parts = [row["pairs_sentence"], _chance(row)]
    if row["reliability_sentence"]:
        parts.append(row["reliability_sentence"])
    else:
        parts.append(
            f"How much they differ is estimated from {COMPARISON_MINIMUM_CLINICS} clinics that can be compared; here "
            f"are {row['clinics']}."
        )
    return " ".join(parts)


def _chance(row: Row) -> str:
    p = "p < 0.001" if row["chance_p"] < 0.001 else f"p = {decimal(row['chance_p'], 3)}"  # noqa: PLR2004 usual
    test = f"(Q {decimal(row['q'])} on {row['clinics'] - 1} degrees of freedom, {p})"
    if row["chance_p"] < 0.05:  # noqa: PLR2004 usual
        return f"Together the clinics differ more than chance explains {test}."
    return f"Together the clinics do not differ more than chance explains {test}."


def tipping_words(row: Row) -> str:
    """At which share of recovery among the unknown the place of a clinic would change."""
    if row["suppressed"] or row["conclusion"] == "not_compared":
        return "Not compared"
    if row["conclusion"] == "holds":
        return "Holds whatever the unknown outcomes are"
    zone, down, up = row["chance_zone"], row["tipping_down"], row["tipping_up"]
    if zone == AS_EXPECTED:
        low, high = "below", "above"
    else:
        low, high = (f"no longer {ZONES[zone].lower()}",) * 2
    parts = [] if down is None else [f"{low} if {percent(down)} or fewer of the unknown had recovered"]
    of = " of the unknown had recovered" if down is None else " had"
    parts += [] if up is None else [f"{high} if {percent(up)} or more{of}"]
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def completeness_sentence(rows: Sequence[tuple[str, Row | None]], target: int) -> str:
    """Say each share of recorded scores, and which lie below the target."""
    known = [(label, row) for label, row in rows if row is not None and row["rate"] is not None]
    if not known:
        return ""
    whole_set = "all" if len(known) == len(rows) else "those shown"
    shares = listing(f"{_inside(label)} {percent(row['rate'])}" for label, row in known)
    below = [_inside(label) for label, row in known if (whole(row["rate"]) or 0) < target]
    end = f"below the target of {target}%: {listing(below)}" if below else f"{whole_set} on the target of {target}%"
    return f"Recorded in closed episodes: {shares}; {end}."


def _inside(label: str) -> str:
    return label[:1].lower() + label[1:]


def weighted_sentence(row: Row | None) -> str:
    """Say what the rate would be, weighted for who is likely to be known."""
    if row is None or row["suppressed"] or row["rate"] is None:
        return ""
    if row["weighted_rate"] is None:
        reason = row["not_weighted"]
        words = NOT_WEIGHTED.get(reason, NO_MODEL.get(reason, spoken(reason or "").lower())) if reason else ""
        return f"No weighted rate: {words}." if words else ""
    return (
        f"Weighted so that the known stand for all like them, the rate would be {percent(row['weighted_rate'])} (95% "
        f"CI {interval(row['weighted_low'], row['weighted_high'])}) instead of {percent(row['rate'])}."
    )


def model_reason(reason: str | None, condition_label: Callable[[str], str] | None = None) -> str:
    """Why there is no expected outcome; ``sciatica: too_few_events`` names the condition."""
    if reason is None:
        return ""
    parts = []
    for part in reason.split(", "):
        condition, is_named, code = part.rpartition(": ")
        words = NO_MODEL.get(code, spoken(code).lower())
        parts.append(f"{condition_label(condition)}: {words}" if is_named and condition_label else words)
    return "; ".join(parts)


def rule_words(rules: str | None) -> str:
    """Rules that flag a point, joined by + in the frame."""
    return ", ".join(RULES.get(rule, spoken(rule).lower()) for rule in rules.split("+")) if rules else DASH
