"""Sentences of the overview: their numbers are in the rows, no claim of an effect, no ranking."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.outcomes.published import published_frames
from assets.outcomes.rates import recovery_by_condition
from assets.outcomes.sentences import CAUSAL_WORDS, TEMPLATES, causal_words, overview, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

RANKING = re.compile(r"\b(best|worst|most|least|highest|lowest|top|bottom|rank\w*|better|worse)\b", re.IGNORECASE)


def frames_of(*rows: tuple[str | None, str | None, int, int, int]) -> dict[str, pl.DataFrame]:
    """Published recovery of (condition, clinic, recovered, known, eligible)."""
    cube = pl.DataFrame(
        rows,
        schema={"condition_id": pl.String, "clinic_key": pl.String}
        | dict.fromkeys(["recovered", "known", "eligible"], pl.Int64),
        orient="row",
    ).with_columns(care=pl.lit("any"), period=pl.lit("all"), definition_id=pl.lit("recovered_v1"))
    return {"recovery_by_condition": recovery_by_condition(cube)}


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_template_claims_an_effect_or_ranks(name: str) -> None:
    assert causal_words(TEMPLATES[name]) == []
    assert not RANKING.search(TEMPLATES[name])


@pytest.mark.parametrize("word", CAUSAL_WORDS)
def test_the_lint_finds_each_word(word: str) -> None:
    assert causal_words(f"Needling {word.upper()} pain.") == [word]
    assert causal_words("The network saved framework ineffectively.") == []


def test_lead_and_conditions_in_words() -> None:
    words = overview(
        frames_of(
            (None, None, 640, 1000, 1100),
            (None, "c1", 600, 900, 990),
            (None, "c2", 3, 9, 10),
            ("sciatica", None, 12, 24, 30),
            ("neck_pain", None, 620, 960, 1050),
            ("muscle_spasm", None, 2, 5, 6),
            ("muscle_strain", None, 0, 0, 12),
        ),
        CONTRACT,
    )
    assert words.lead == (
        "64% of episodes of care ended in recovery (95% CI 61% to 67%): 640 of 1,000 with a known outcome, "
        "in 2 clinics."
    )
    assert words.completeness == "Outcomes are known for 91% of 1,100 closed episodes."
    assert words.is_complete
    assert list(words.conditions) == ["neck_pain", "sciatica"]
    assert words.conditions["sciatica"] == "Sciatica: 50% recovered (95% CI 31% to 69%), 12 of 24."
    assert words.not_shown == (
        "1 condition is not shown: fewer than 11 episodes.",
        "1 clinic is not shown: fewer than 11 episodes.",
    )


def test_incomplete_outcomes_carry_both_bounds() -> None:
    words = overview(frames_of((None, None, 50, 100, 140), (None, "c1", 50, 100, 140)), CONTRACT)
    assert not words.is_complete
    assert words.completeness == (
        "Outcomes are known for 71% of 140 closed episodes. If no other patient had recovered the rate would be 36%; "
        "if all had, 64%. Treat comparisons with care."
    )
    assert words.not_shown == ()


def test_nothing_to_say() -> None:
    empty = overview(frames_of(), CONTRACT)
    assert (empty.lead, empty.completeness, empty.conditions) == (TEMPLATES["lead_none"], None, {})
    unknown = overview(frames_of((None, None, 0, 0, 50)), CONTRACT)
    assert (unknown.lead, unknown.is_complete) == (TEMPLATES["lead_none"], False)
    few = overview(frames_of((None, None, 3, 8, 9)), CONTRACT)
    assert few.lead == "Too few episodes of care to show a recovery rate: fewer than 11."
    assert few.completeness is None


def test_every_number_stands_in_its_row(marts: Mapping[str, pl.DataFrame], audit: Mapping[str, pl.DataFrame]) -> None:
    frames = published_frames(marts, CONTRACT, **audit)
    words = overview(frames, CONTRACT)
    rows = frames["recovery_by_condition"].filter(
        pl.col("clinic_key").is_null(),
        pl.col("care") == "any",
        pl.col("period") == "all",
        pl.col("definition_id") == "recovered_v1",
    )
    clinics = frames["clinic"].height
    for row in rows.iter_rows(named=True):
        sentence = words.lead if row["condition_id"] is None else words.conditions[row["condition_id"]]
        allowed = {percent(row[name]) for name in ("rate", "rate_low", "rate_high")} | {"95%"}
        allowed |= {f"{row['n']:,}", f"{row['recovered']:,}", str(clinics)}
        assert set(re.findall(r"\d[\d,]*%?", sentence)) <= allowed


@pytest.mark.parametrize(
    ("share", "words"), [(0, "0%"), (0.125, "13%"), (0.644999999, "64%"), (0.645, "65%"), (1, "100%")]
)
def test_percent_rounds_halves_up(share: float, words: str) -> None:
    assert percent(share) == words
