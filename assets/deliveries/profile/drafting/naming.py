"""What a column or a code may mean, by its name: field, measure, side, time of visit."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.deliveries.profile.drafting import words as known
from assets.deliveries.profile.drafting.words import name_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assets.contract.model import Contract

SIMILAR = 0.88
LAST = 1e9
SHORTEST = 5
"""Letters from which on a word may be misspelt: shorter ones are too near to each other."""


@dataclass(frozen=True, slots=True, order=True)
class Time:
    """When a score was taken: its order among others, its name, and the planned day where the name tells it."""

    order: float
    name: str
    day: int | None


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the name of a score says. Several ``measures``: it could be any of them, the likeliest first."""

    measures: tuple[str, ...] = ()
    side: str | None = None
    time: Time | None = None
    stem: tuple[str, ...] = ()
    is_score: bool = False


def field_of(name: str) -> tuple[str, float] | None:
    """The canonical field that a column of this name may be, and how sure that is (0 to 1)."""
    spoken = " ".join(name_words(name))
    best: tuple[str, float] | None = None
    for field, phrases in known.FIELDS.items():
        own = field.replace("_", " ")
        for phrase in (own, *phrases):
            sure = 1.0 if spoken == own else 0.95 if spoken == phrase else _similar(spoken, phrase)
            if sure and (best is None or sure > best[1]):
                best = field, sure
    return best


def _similar(one: str, other: str) -> float:
    if min(len(one), len(other)) < SHORTEST:
        return 0.0
    ratio = difflib.SequenceMatcher(None, one, other).ratio()
    return ratio * 0.9 if ratio >= SIMILAR else 0.0


def code_of(field: str, code: str, allowed: Sequence[str]) -> str | None:
    """The canonical code that a source's code is or may stand for."""
    if code in allowed:
        return code
    spoken = " ".join(name_words(code))
    by_words = {allowed_code.replace("_", " ").lower(): allowed_code for allowed_code in allowed}
    by_words.update({word: meant for word, meant in known.CODES.get(field, {}).items() if meant in allowed})
    if set(allowed) >= {"yes", "no"}:
        by_words.update(known.YES_NO)
    if spoken in by_words:
        return by_words[spoken]
    near = next((word for word in sorted(by_words) if _similar(spoken, word)), None)
    return by_words[near] if near else None


def meaning_of(name: str, contract: Contract) -> Meaning:
    """What the name of a score column, or the code of a score, says."""
    time, rest = _time(_split_times(name_words(name)))
    named = [known.SIDES[word] for word in rest if word in known.SIDES]
    side = named[0] if len(named) == 1 else None
    measures = _measures(rest, side, contract)
    if not measures:  # a single l or r beside an unknown word is a name of its own
        side = side if {"left", "right"} & set(rest) else None
    stem = tuple(word for word in rest if word not in known.FILLERS and not (side and word in known.SIDES))
    return Meaning(measures, side, time, stem, bool(known.SCORE_WORDS & set(stem)))


def _measures(spoken: tuple[str, ...], side: str | None, contract: Contract) -> tuple[str, ...]:
    if known.OTHER_INSTRUMENTS & set(spoken):
        return ()
    for wanted, measure in known.INSTRUMENTS:
        if set(wanted) <= set(spoken):
            return (measure,)
    if known.PAIN_WORDS & set(spoken):
        kind = next((known.PAIN_KINDS[word] for word in spoken if word in known.PAIN_KINDS), None)
        if kind:
            return (kind,)
        return ("nprs_avg24h", "nprs_current", "nprs_worst24h")
    region = next((known.REGIONS[word] for word in spoken if word in known.REGIONS), None)
    motion = next((motion for wanted, motion in known.MOTIONS if set(wanted) <= set(spoken)), None)
    if region is None or motion is None:
        return ()
    ids = [measure.measure_id for measure in contract.measures]
    exact = f"{region}_{motion}"
    found = [exact] if exact in ids else [one for one in ids if one.startswith(f"{exact}_")]
    of_side = [one for one in found if side and one.endswith(f"_{side}")]
    return tuple(of_side or found)


def _split_times(spoken: tuple[str, ...]) -> tuple[str, ...]:
    """Words with a time stuck to them taken apart: ``pain3m``, ``ndi0``, ``week12``, ``fbef``."""
    parts: list[str] = []
    for word in spoken:
        glued = re.fullmatch(r"([a-z]+?)(\d+)([a-z]*)", word)
        if glued and (not glued[3] or glued[3] in known.PERIODS) and word not in ("hit6", "eq5d", "zip3"):
            parts.extend(part for part in glued.groups() if part)
        elif (backwards := re.fullmatch(r"(\d+)([a-z]+)", word)) and backwards[2] in known.PERIODS:
            parts.extend(backwards.groups())
        else:
            parts.extend(_split_ending(word))
    return tuple(parts)


def _split_ending(word: str) -> tuple[str, ...]:
    if word in known.BEFORE | known.AFTER:
        return (word,)
    for ending in ("bef", "aft", "pre", "post", "base"):
        if word.endswith(ending) and word != ending and len(word) - len(ending) <= SHORTEST:
            return word.removesuffix(ending), ending
    return (word,)


def _time(spoken: tuple[str, ...]) -> tuple[Time | None, tuple[str, ...]]:
    """The time that words name, and the other words. A number with its period tells more than either alone."""
    for length, reader in ((2, _period), (1, _word), (1, _number)):
        for position in range(len(spoken) - length + 1):
            time = reader(spoken[position : position + length])
            if time and (reader is not _number or position):
                return time, spoken[:position] + spoken[position + length :]
    return None, spoken


def _period(pair: tuple[str, ...]) -> Time | None:
    """3 months, week 12, t 0."""
    one, other = pair
    if one.isdigit() and other in known.PERIODS:
        return _after(int(one), other)
    if one in known.PERIODS and other.isdigit():
        return _after(int(other), one)
    if one in known.TIMES and other.isdigit():
        return Time(int(other), f"{one}{int(other)}", 0 if int(other) == 0 else None)
    return None


def _word(single: tuple[str, ...]) -> Time | None:
    if single[0] in known.BEFORE:
        return Time(0, "baseline", 0)
    if single[0] in known.AT_DISCHARGE:
        return Time(LAST + 1, "discharge", None)
    return Time(LAST, "after", None) if single[0] in known.AFTER else None


def _number(single: tuple[str, ...]) -> Time | None:
    """A bare number after other words: pk 1, ndi 0."""
    if not single[0].isdigit():
        return None
    number = int(single[0])
    return Time(number, f"time-{number}", 0 if number == 0 else None)


def _after(number: int, period: str) -> Time:
    day = round(number * known.PERIODS[period])
    full = {1.0: "day", 7.0: "week", 365.25: "year"}.get(known.PERIODS[period], "month")
    return Time(day, "baseline" if day == 0 else f"{full}-{number}", day)
