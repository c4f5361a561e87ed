"""A small network as the marts hold it, aggregated here from single episodes."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.contract.checks import Stage
from assets.quality.catalogue import catalogue_frame

DIMENSIONS = {"condition_id": None, "clinic_key": None, "care": "any", "period": "all"}
WHY_UNKNOWN = ["open", "baseline_too_low", "no_baseline", "no_comparable_pair", "rom_not_measured"]


def cube(episodes: pl.DataFrame, counts: list[pl.Expr], by: tuple[str, ...] = ()) -> pl.DataFrame:
    """All sixteen grouping sets of the four dimensions, each also by ``by``."""
    parts = []
    for size in range(len(DIMENSIONS) + 1):
        for kept in combinations(DIMENSIONS, size):
            keys = [*kept, *by]
            grouped = episodes.group_by(keys).agg(counts) if keys else episodes.select(counts)
            total = [pl.lit(all_, pl.String).alias(name) for name, all_ in DIMENSIONS.items() if name not in kept]
            parts.append(grouped.with_columns(total).select(*DIMENSIONS, *by, *(c.meta.output_name() for c in counts)))
    return pl.concat(parts)


def landmarked(episodes: pl.DataFrame, counts: list[pl.Expr], by: tuple[str, ...] = ()) -> pl.DataFrame:
    """Counts of followed episodes: whatever the care from day 0, by care only of those with an event after day 14."""
    parts = []
    for kept in (
        [],
        ["condition_id"],
        ["clinic_key"],
        ["condition_id", "clinic_key"],
        ["care"],
        ["condition_id", "care"],
    ):
        from_day = 14 if "care" in kept else 0
        rows = episodes.filter(pl.col("event_kind").is_not_null(), pl.col("event_day") > (from_day or -1))
        keys = [*kept, *by]
        grouped = rows.group_by(keys).agg(counts) if keys else rows.select(counts)
        total = [pl.lit(DIMENSIONS[name], pl.String).alias(name) for name in ("condition_id", "clinic_key", "care")]
        parts.append(
            grouped.with_columns(*(column for column in total if column.meta.output_name() not in kept))
            .with_columns(from_day=pl.lit(from_day, pl.Int32))
            .select("condition_id", "clinic_key", "care", "from_day", *by, *(c.meta.output_name() for c in counts))
        )
    return pl.concat(parts)


@pytest.fixture(scope="session")
def episodes() -> pl.DataFrame:
    """1,500 closed and open episodes; clinic c_small has 6, clinic c_eleven exactly 11, all with a known outcome."""
    rng = np.random.default_rng(20261122)
    n = 1500
    clinic = np.array([f"c{i:02d}" for i in rng.integers(1, 5, n)], dtype=object)
    clinic[:6], clinic[6:17] = "c_small", "c_eleven"
    state = rng.choice(["yes", "no", *WHY_UNKNOWN], n, p=[0.45, 0.3, 0.1, 0.02, 0.03, 0.04, 0.06])
    state[:17] = "yes"
    baseline = rng.integers(2, 11, n)
    last = np.clip(baseline - rng.integers(-2, 7, n), 0, 10)
    kind = {"yes": "recovered", "no": "left", "open": "open", "rom_not_measured": "unknown"}
    return pl.DataFrame(
        {
            "condition_id": rng.choice(["neck_pain", "low_back_pain", "sciatica"], n),
            "clinic_key": pl.Series(clinic, dtype=pl.String),
            "care": rng.choice(["dry_needling", "other_care"], n),
            "period": rng.choice(["2024", "2025"], n),
            "state": state,
            "event_kind": [kind.get(item) for item in state],
            "event_day": rng.integers(0, 240, n),
            "baseline": pl.Series(baseline).cast(pl.Decimal(9, 3)),
            "last": pl.Series(last).cast(pl.Decimal(9, 3)),
            "permille": rng.integers(400, 1001, n),
        }
    )


@pytest.fixture(scope="session")
def marts(episodes: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The tables of the schema marts that ``exact_frames`` reads."""
    change = pl.col("baseline") - pl.col("last")
    state = pl.col("state")
    closed = ~state.is_in(["open", "baseline_too_low"])
    recovery = cube(
        episodes,
        [
            pl.len().cast(pl.Int64).alias("episodes"),
            closed.sum().cast(pl.Int64).alias("eligible"),
            state.is_in(["yes", "no"]).sum().cast(pl.Int64).alias("known"),
            (state == "yes").sum().cast(pl.Int64).alias("recovered"),
            *((state == why).sum().cast(pl.Int64).alias(why) for why in WHY_UNKNOWN),
        ],
    )
    exact = pl.Decimal(38, 3)
    ends = {"baseline": pl.col("baseline"), "last": pl.col("last"), "change": change}
    sums = {f"{name}_sum": value.cast(exact).sum() for name, value in ends.items()}
    squares = {
        f"{name}_sum_squares": value.cast(pl.Int64).pow(2).sum().cast(pl.Decimal(38, 6)) for name, value in ends.items()
    }
    pain = cube(
        episodes,
        [
            pl.len().cast(pl.Int64).alias("pairs"),
            *(value.alias(name) for name, value in {**sums, **squares}.items()),
            (pl.col("baseline") >= 2).sum().cast(pl.Int64).alias("mcid_eligible"),
            (change >= 2).sum().cast(pl.Int64).alias("mcid_responders"),
            (change <= -2).sum().cast(pl.Int64).alias("deteriorated"),
        ],
    )
    motion = cube(
        episodes,
        [
            pl.len().cast(pl.Int64).alias("pairs"),
            pl.col("permille").sum().alias("baseline_permille_sum"),
            pl.col("permille").clip(700).sum().alias("last_permille_sum"),
        ],
    )
    events = landmarked(episodes, [pl.len().cast(pl.Int64).alias("episodes")], ("event_day", "event_kind"))
    density = landmarked(
        episodes.filter(pl.col("event_kind") != "unknown"),
        [
            pl.len().cast(pl.Int64).alias("episodes"),
            (pl.col("event_day") // 8 + 1).sum().cast(pl.Int64).alias("visits"),
            pl.col("event_day").sum().cast(pl.Int64).alias("days_followed"),
        ],
    )
    definitions = pl.DataFrame({"definition_id": [definition.definition_id for definition in CONTRACT.definitions]})
    whole = pain.filter(pl.col("clinic_key").is_null(), pl.col("period") == "all").with_columns(
        measure_id=pl.lit("nprs_avg24h"),
        side=pl.lit(None, pl.String),
        planned_day=pl.lit(None, pl.Int32),
    )
    return {
        "marts.recovery_cube": recovery.join(definitions, how="cross"),
        "marts.pain_cube": pain,
        "marts.rom_cube": motion,
        "marts.event_count": events.with_columns(definition_id=pl.lit("recovered_v1")),
        "marts.visit_density": density,
        "marts.measure_summary": whole.rename(
            {"pairs": "n", "last_sum": "value_sum", "last_sum_squares": "value_sum_squares", "deteriorated": "worsened"}
        ),
        "marts.response_summary": whole.with_columns(rule_id=pl.lit("mcid")).rename(
            {"mcid_eligible": "eligible", "mcid_responders": "responders"}
        ),
    }


@pytest.fixture(scope="session")
def audit() -> dict[str, pl.DataFrame]:
    """Tables of the schema audit that ``exact_frames`` reads."""
    return {
        "audit.conservation": pl.DataFrame(
            {
                "delivery_id": ["d2", "d1"],
                "label": ["march.csv", "february.csv"],
                "extract_stamp": ["2026-03-01", "2026-02-01"],
                "state": ["accepted", "accepted"],
                "problem_code": [None, None],
                "ingested": [100, 90],
                "accepted": [95, 60],
                "quarantined": [5, 3],
                "superseded": [0, 27],
                "rejected": [0, 0],
                "out_of_scope": [0, 12],
            }
        ),
        "audit.quarantine": pl.DataFrame(
            {
                "table_name": ["visit", "measurement", "visit"],
                "check_id": ["visit.key.unique", "measurement.value.readable", "reading.columns"],
                "reason": ["DUPLICATE_KEY", "NOT_NUMERIC", "COLUMN_COUNT"],
                "rows": [2, 5, 1],
                "to_correct": [2, 3, 0],
            }
        ),
        "audit.check_catalogue": catalogue_frame(CONTRACT).filter(pl.col("stage") != Stage.PUBLISHED.value),
        "audit.check_result": pl.DataFrame(
            {
                "check_id": ["measurement.value.readable"] * 3 + ["visit.key.unique"],
                "status": ["pass", "pass_with_violations", "not_applicable", "warn"],
                "evaluated": [100, 200, 0, 50],
                "violated": [0, 5, 0, 2],
                "delivery_id": ["d1", "d2", "d3", None],
            }
        ),
        "audit.delivery_volume": pl.DataFrame(
            {"delivery_id": ["d1", "d2"], "ingested": [100, 90], "twice_usual": [50, 0], "is_unusual": [True, True]}
        ),
    }
