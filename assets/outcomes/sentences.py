"""The overview in plain words, from the published rows alone: every number in a sentence stands in a row.

Conditions and clinics keep their fixed order and are never ranked: differences between conditions are differences
between diseases. No sentence says that care made a difference; ``CAUSAL_WORDS`` lists what none may contain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Any

import polars as pl

from assets.outcomes.frames import ALL_PERIODS, ANY_CARE
from assets.outcomes.rates import default_definition
from assets.privacy.disclosure import MINIMUM_GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assets.contract.model import Contract

COMPLETENESS_TARGET = 0.8
"""Share of known outcomes below which the reader is warned (a proposal; there is no single standard)."""

CAUSAL_WORDS = (
    *("works", "effective", "improves", "reduces", "causes", "due to", "thanks to"),
    *("better treatment", "saves", "accelerates"),
)
"""Words that claim an effect, which observation without random assignment cannot show."""

TEMPLATES = {
    "lead": "{rate} of episodes of care ended in recovery (95% CI {low} to {high}): {recovered} of {n} with a known "
    "outcome, in {clinics}.",
    "lead_too_few": "Too few episodes of care to show a recovery rate: fewer than {minimum}.",
    "lead_none": "No closed episode of care has a known outcome yet.",
    "complete": "Outcomes are known for {completeness} of {eligible} closed episodes.",
    "incomplete": "Outcomes are known for {completeness} of {eligible} closed episodes. If no other patient had "
    "recovered the rate would be {if_none}; if all had, {if_all}. Treat comparisons with care.",
    "condition": "{label}: {rate} recovered (95% CI {low} to {high}), {recovered} of {n}.",
    "not_shown": "{groups} not shown: fewer than {minimum} episodes.",
}
"""Every sentence of this module; tests read them for causal words."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Sentences of the first page.

    ``completeness`` is None while no rate is shown; ``is_complete`` tells a note from a warning. ``conditions`` maps
    condition_id to its sentence in contract order, without the conditions that have no rate. ``not_shown`` is empty
    if nothing had to be hidden.
    """

    lead: str
    completeness: str | None
    is_complete: bool
    conditions: Mapping[str, str]
    not_shown: tuple[str, ...]


def overview(frames: Mapping[str, pl.DataFrame], contract: Contract) -> Overview:
    """Sentences about all periods, any care and the default definition.

    Args:
        frames: The published frames.
        contract: The contract they were made with.

    """
    rows = frames["recovery_by_condition"].filter(
        (pl.col("period") == ALL_PERIODS)
        & (pl.col("care") == ANY_CARE)
        & (pl.col("definition_id") == default_definition(contract))
    )
    total = rows.filter(pl.col("condition_id").is_null(), pl.col("clinic_key").is_null())
    by_condition = rows.filter(pl.col("condition_id").is_not_null(), pl.col("clinic_key").is_null())
    by_clinic = rows.filter(pl.col("condition_id").is_null(), pl.col("clinic_key").is_not_null())
    row = total.row(0, named=True) if len(total) else None
    found = {item["condition_id"]: item for item in by_condition.iter_rows(named=True)}
    return Overview(
        lead=_lead(row, len(by_clinic)),
        completeness=_completeness(row),
        is_complete=row is not None and (row["completeness"] or 0) >= COMPLETENESS_TARGET,
        conditions={
            item.condition_id: _condition(item.label, found[item.condition_id])
            for item in contract.conditions
            if found.get(item.condition_id, {}).get("rate") is not None
        },
        not_shown=tuple(
            TEMPLATES["not_shown"].format(groups=_counted(hidden, *words), minimum=MINIMUM_GROUP)
            for group, words in (
                (by_condition, ("condition is", "conditions are")),
                (by_clinic, ("clinic is", "clinics are")),
            )
            if (hidden := int(group["suppressed"].sum()))
        ),
    )


def causal_words(text: str) -> list[str]:
    """Causal words that occur in ``text``, in the order of the list."""
    return [word for word in CAUSAL_WORDS if re.search(rf"\b{word}\b", text, re.IGNORECASE)]


def percent(share: float) -> str:
    """Whole percent, a half rounded up as browsers do, so that sentence and chart agree: 0.125 is 13%."""
    return f"{floor(share * 100 + 0.5)}%"


def _lead(row: dict[str, Any] | None, clinics: int) -> str:
    if row is not None and row["suppressed"]:
        return TEMPLATES["lead_too_few"].format(minimum=MINIMUM_GROUP)
    if row is None or row["rate"] is None:
        return TEMPLATES["lead_none"]
    return TEMPLATES["lead"].format(**_rate(row), clinics=_counted(clinics, "clinic", "clinics"))


def _completeness(row: dict[str, Any] | None) -> str | None:
    if row is None or row["rate"] is None:
        return None
    template = "complete" if row["completeness"] >= COMPLETENESS_TARGET else "incomplete"
    return TEMPLATES[template].format(
        completeness=percent(row["completeness"]),
        eligible=f"{row['eligible']:,}",
        if_none=percent(row["rate_if_missing_none"]),
        if_all=percent(row["rate_if_missing_all"]),
    )


def _condition(label: str, row: dict[str, Any]) -> str:
    return TEMPLATES["condition"].format(label=label, **_rate(row))


def _rate(row: dict[str, Any]) -> dict[str, str]:
    return {
        "rate": percent(row["rate"]),
        "low": percent(row["rate_low"]),
        "high": percent(row["rate_high"]),
        "recovered": f"{row['recovered']:,}",
        "n": f"{row['n']:,}",
    }


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
