"""Bands of change, and conclusions that do or do not depend on the definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.definitions import IMPACT_BANDS
from assets.outcomes.tables import definitions
from assets.outcomes.tables.definitions import definition_sensitivity, responder_rule, response_band
from tests.outcomes.printed import printed

if TYPE_CHECKING:
    from collections.abc import Mapping

BANDS = [band.band_id for band in IMPACT_BANDS]
DEFINITIONS = [item.definition_id for item in CONTRACT.definitions]


def bands(counts: Mapping[str, int], deteriorated: int = 0, clinic: str | None = None) -> pl.DataFrame:
    """One group of the cube."""
    return pl.DataFrame(
        [
            ("neck_pain", clinic, "any", band, episodes, deteriorated if band == "worse" else 0)
            for band, episodes in counts.items()
        ],
        schema={
            **dict.fromkeys(("condition_id", "clinic_key", "care", "band_id"), pl.String),
            "episodes": pl.Int64,
            "deteriorated": pl.Int64,
        },
        orient="row",
    )


def shown(published: pl.DataFrame) -> dict[str, int | None]:
    return dict(published.select("band_id", "episodes").iter_rows())


def test_bands_add_up_and_empty_ones_are_there() -> None:
    published = response_band(bands({"worse": 20, "minimal": 30, "substantial": 50}, deteriorated=12))
    assert shown(published) == {
        "deteriorated": 12,
        "worse": 20,
        "none": 0,
        "minimal": 30,
        "moderate": 0,
        "substantial": 50,
    }
    assert published["n"].unique().to_list() == [100]
    row = published.row(by_predicate=pl.col("band_id") == "worse", named=True)
    assert (row["share"], row["share_low"]) == (0.2, pytest.approx(0.13337, abs=5e-6))  # Wilson, 20 of 100
    assert row["statistic_id"] == "response_band.v1"


@pytest.mark.parametrize(
    "counts",
    [
        {"worse": 20, "none": 30, "moderate": 40},
        {"worse": 5, "none": 30, "moderate": 40},
        {"worse": 5, "none": 3, "moderate": 40},
        {"worse": 4, "none": 4},
    ],
)
def test_no_band_of_one_to_ten_is_printed(counts: dict[str, int]) -> None:
    """The share of a large enough group is shown, as a recovery rate is; how few that are is not."""
    frame = printed("response_band", response_band(bands(counts)))
    hidden = {band for band, episodes in shown(frame).items() if episodes is None}
    small = {band for band, size in counts.items() if size <= 10}
    whole = sum(counts.values()) > 10
    assert hidden == (small if whole else {*BANDS, "deteriorated"})
    assert frame["share"].null_count() == (0 if whole else len(frame))


def cubes(rates: Mapping[str | None, tuple[int, int, dict[str, int]]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Recovery and an empty pain cube: per clinic (null: all) known, eligible and recovered by definition."""
    rows = [
        (condition, clinic, "any", "all", name, eligible, 0, eligible, known, recovered[name])
        for condition in (None, "neck_pain")
        for clinic, (known, eligible, recovered) in rates.items()
        for name in DEFINITIONS
    ]
    names = ("condition_id", "clinic_key", "care", "period", "definition_id")
    counts = ("episodes", "open", "eligible", "known", "recovered")
    schema = {**dict.fromkeys(names, pl.String), **dict.fromkeys(counts, pl.Int64)}
    pain = pl.DataFrame(
        schema={
            **dict.fromkeys(names[:4], pl.String),
            "pairs": pl.Int64,
            "change_sum": pl.Decimal(38, 6),
            "change_sum_squares": pl.Decimal(38, 12),
        }
    )
    return pl.DataFrame(rows, schema=schema, orient="row"), pain


def conclusions(table: pl.DataFrame, condition: str | None, clinic: str | None) -> dict[str, str]:
    rows = table.filter(pl.col("condition_id").eq_missing(condition), pl.col("clinic_key").eq_missing(clinic))
    return dict(rows.select("definition_id", "conclusion").iter_rows())


def test_conclusions_and_what_depends_on_the_definition() -> None:
    """Clinic a is low by pain_0 alone, b never, c is small, d incomplete; most recover but for pain_0."""
    alike = dict.fromkeys(DEFINITIONS, 60)
    rates = {
        "a": (100, 110, {**alike, "pain_0": 10}),
        "b": (100, 110, {**alike, "pain_0": 35}),
        "c": (9, 9, dict.fromkeys(DEFINITIONS, 9)),
        "d": (100, 200, {**alike, "pain_0": 35}),
    }
    total = {name: sum(recovered[name] for _, _, recovered in rates.values()) for name in DEFINITIONS}
    table = definition_sensitivity(*cubes({None: (309, 429, total), **rates}), CONTRACT)
    as_expected = dict.fromkeys(DEFINITIONS, "as_expected")
    assert conclusions(table, None, "a") == {**as_expected, "pain_0": "below"}
    assert conclusions(table, "neck_pain", "b") == as_expected
    assert set(conclusions(table, None, "c").values()) == {"too_few_patients"}
    assert set(conclusions(table, None, "d").values()) == {"too_incomplete"}
    assert conclusions(table, "neck_pain", None) == {
        **dict.fromkeys(DEFINITIONS, "most_recover"),
        "pain_0": "most_do_not",
    }
    flags = {
        (row["condition_id"], row["clinic_key"]): (row["conclusions"], row["depends_on_definition"])
        for row in table.iter_rows(named=True)
    }
    assert flags["neck_pain", None] == (2, True)
    assert flags[None, "a"] == (2, True)
    assert flags["neck_pain", "b"] == (1, False)
    assert flags[None, "d"] == (0, False)
    assert (None, None) not in flags  # all conditions of all clinics together are compared with nothing


def test_about_one_half_cannot_be_told() -> None:
    table = definition_sensitivity(*cubes({None: (100, 100, dict.fromkeys(DEFINITIONS, 52))}), CONTRACT)
    assert set(table["conclusion"]) == {"cannot_tell"}
    assert table["depends_on_definition"].to_list() == [False] * len(DEFINITIONS)


def test_rules_are_listed_with_their_versions() -> None:
    rules = {row["rule_id"]: row for row in responder_rule(CONTRACT).iter_rows(named=True)}
    assert set(rules) == {"mcid", "percent_30", "percent_50", "deteriorated"}
    assert rules["percent_30"]["threshold"] == 30
    assert rules["deteriorated"]["threshold"] == 2
    assert {row["version"] for row in rules.values()} == {1}


def test_topic_on_a_network_and_on_nothing(marts: Mapping[str, pl.DataFrame], episodes: pl.DataFrame) -> None:
    keys = ["condition_id", "clinic_key", "care"]
    worse = pl.col("last") > pl.col("baseline")
    cube = episodes.group_by(
        [*keys, pl.when(worse).then(pl.lit("worse")).otherwise(pl.lit("moderate")).alias("band_id")]
    ).agg(pl.len().cast(pl.Int64).alias("episodes"), worse.sum().cast(pl.Int64).alias("deteriorated"))
    tables = {**marts, "marts.pain_cube": marts["marts.pain_cube"].clear(), "marts.response_band_cube": cube}
    made = definitions.TOPIC.build({name: tables[name] for name in definitions.TOPIC.reads}, CONTRACT)
    assert set(made) == set(definitions.TOPIC.tables)
    assert not made["definition_sensitivity"].is_empty()
    # every definition has the same counts in this network: nothing can depend on it
    assert not made["definition_sensitivity"]["depends_on_definition"].any()
    shuffled = {name: tables[name].sample(fraction=1, shuffle=True, seed=3) for name in definitions.TOPIC.reads}
    again = definitions.TOPIC.build(shuffled, CONTRACT)
    assert all(made[name].equals(again[name]) for name in made)
    nothing = definitions.TOPIC.build({name: tables[name].clear() for name in definitions.TOPIC.reads}, CONTRACT)
    assert {name: frame.schema for name, frame in nothing.items()} == {n: frame.schema for n, frame in made.items()}
    assert nothing["response_band"].is_empty()
