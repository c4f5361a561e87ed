"""All tables together: schema, order, byte stability; exact before disclosure control, nothing small after it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.outcomes.published import LAYOUTS, PUBLISHED_TABLES, READ_RELATIONS, exact_frames
from assets.outcomes.tables import curves, labels, quality, rates, recovery_time
from assets.outcomes.universes import NESTED
from assets.privacy.disclosure.profiles import INTERNAL
from assets.privacy.disclosure.protect import protect

if TYPE_CHECKING:
    from collections.abc import Mapping

FRAMES = {
    "recovery_by_condition": "condition_id clinic_key care period definition_id n recovered rate rate_low rate_high "
    "eligible completeness rate_if_missing_none rate_if_missing_all statistic_id",
    "pain_change": "condition_id clinic_key care period n baseline_mean last_mean change_mean change_low change_high "
    "mcid_n mcid_responders mcid_rate mcid_low mcid_high deteriorated deteriorated_rate statistic_id",
    "rom_change": "condition_id clinic_key care period n baseline_percent last_percent statistic_id",
    "recovery_curve": "condition_id clinic_key care from_day day n recovered_share recovered_low recovered_high "
    "left_share km_share km_low km_high at_risk recovered_so_far left_so_far censored_so_far shown statistic_id "
    "recovery_definition_id",
    "recovery_time": "condition_id clinic_key care from_day n "
    "recovered_share_28 recovered_low_28 recovered_high_28 recovered_share_56 recovered_low_56 recovered_high_56 "
    "recovered_share_84 recovered_low_84 recovered_high_84 at_risk_28 at_risk_56 at_risk_84 "
    "median_day median_low median_high days_recovered days_recovered_error days_recovered_low days_recovered_high "
    "left_share_84 share_if_no_leaver_recovered share_if_all_leavers_recovered days_per_visit "
    "statistic_id recovery_definition_id",
    "recovery_time_difference": "condition_id care other_care from_day n other_n at_risk_84 other_at_risk_84 "
    "days_recovered days_recovered_low days_recovered_high other_days_recovered other_days_recovered_low "
    "other_days_recovered_high difference difference_error difference_low difference_high statistic_id "
    "recovery_definition_id",
    "recovery_time_test": "condition_id care other_care from_day event test n other_n chi2 p q m statistic_id "
    "recovery_definition_id",
    "measure_summary": "condition_id care measure_id side planned_day n baseline_mean baseline_sd value_mean value_sd "
    "change_mean change_sd worsened statistic_id",
    "response": "condition_id care measure_id side planned_day rule_id n responders rate rate_low rate_high "
    "statistic_id",
    "unknown_reason": "condition_id clinic_key reason episodes n share statistic_id recovery_definition_id",
    "conservation": "delivery_id label extract_stamp state problem_code ingested accepted quarantined superseded "
    "rejected out_of_scope",
    "quarantine_by_reason": "table_name check_id title reason rows to_correct",
    "check_summary": "check_id title sentence table_name kind stage severity dimension owner blocks tolerance "
    "status evaluated violated deliveries",
    "check_by_delivery": "check_id delivery_id status",
    "delivery_volume": "delivery_id times_usual is_unusual",
    "definition": "definition_id version label sentence is_default",
    "condition": "condition_id position label sentence_label",
    "clinic": "clinic_key label",
    "statistic": "statistic_id label sentence numerator denominator exclusions window method source",
}
TOPICS = (labels.TOPIC, quality.TOPIC, rates.TOPIC, curves.TOPIC, recovery_time.TOPIC)
DAYS = ("day", "from_day", "planned_day")
PEOPLE = [name for name, columns in FRAMES.items() if "statistic_id" in columns.split()[1:]]


@pytest.fixture(scope="module")
def frames(marts: Mapping[str, pl.DataFrame], audit: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    return exact_frames({**marts, **audit}.__getitem__, CONTRACT, TOPICS)


def written(frames: Mapping[str, pl.DataFrame]) -> dict[str, bytes]:
    files = {}
    for name, frame in frames.items():
        buffer = io.BytesIO()
        frame.write_csv(buffer)
        files[name] = buffer.getvalue()
    return files


def test_every_frame_has_its_columns(
    frames: Mapping[str, pl.DataFrame], marts: Mapping[str, pl.DataFrame], audit: Mapping[str, pl.DataFrame]
) -> None:
    assert {name: " ".join(frame.columns) for name, frame in frames.items()} == FRAMES
    assert set(frames) <= set(PUBLISHED_TABLES)
    assert set(READ_RELATIONS) >= {*marts, *audit}


def test_totals_come_first(frames: Mapping[str, pl.DataFrame]) -> None:
    assert frames["recovery_by_condition"].row(0)[:4] == (None, None, "any", "2024")
    assert frames["recovery_curve"].row(0)[:4] == (None, None, "any", 0)


def test_same_bytes_whatever_the_order_of_rows(
    frames: Mapping[str, pl.DataFrame], marts: Mapping[str, pl.DataFrame], audit: Mapping[str, pl.DataFrame]
) -> None:
    def shuffled(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
        return {name: table.sample(fraction=1, shuffle=True, seed=7) for name, table in tables.items()}

    assert written(exact_frames(shuffled({**marts, **audit}).__getitem__, CONTRACT, TOPICS)) == written(frames)


def test_the_same_rows_as_wider_decimals_give_the_same_bytes(
    frames: Mapping[str, pl.DataFrame], marts: Mapping[str, pl.DataFrame], audit: Mapping[str, pl.DataFrame]
) -> None:
    sums = pl.selectors.by_dtype(pl.Decimal(38, 3))
    wider = {name: table.with_columns(sums.cast(pl.Decimal(38, 5))) for name, table in marts.items()}
    assert written(exact_frames({**wider, **audit}.__getitem__, CONTRACT, TOPICS)) == written(frames)


@pytest.fixture(scope="module")
def protected(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    return protect(frames, LAYOUTS, INTERNAL, None, NESTED).frames


@pytest.mark.parametrize("name", PEOPLE)
def test_no_small_group_leaves(protected: Mapping[str, pl.DataFrame], name: str) -> None:
    frame = protected[name]
    assert set(LAYOUTS[name].counts) <= set(frame.columns)
    for column in LAYOUTS[name].counts:
        shown = frame[column].drop_nulls()
        assert ((shown % 5 == 0) & ((shown == 0) | (shown >= 15))).all(), column
    assert frame["suppressed"].null_count() == 0
    numbers = [column for column, dtype in frame.schema.items() if dtype.is_numeric() and column not in DAYS]
    assert frame.filter("suppressed").select(pl.col(numbers).is_not_null().any()).row(0) == (False,) * len(numbers)
    assert not frame.filter(~pl.col("suppressed")).is_empty()


def test_planted_clinics(frames: Mapping[str, pl.DataFrame], protected: Mapping[str, pl.DataFrame]) -> None:
    (small, eleven), (hidden, shown) = (
        [
            one["recovery_by_condition"]
            .filter(
                pl.col("condition_id").is_null(),
                pl.col("care") == "any",
                pl.col("period") == "all",
                pl.col("definition_id") == "recovered_v1",
                pl.col("clinic_key") == key,
            )
            .row(0, named=True)
            for key in ("c_small", "c_eleven")
        ]
        for one in (frames, protected)
    )
    assert 1 <= small["n"] <= 10
    assert (eleven["n"], eleven["rate"], eleven["rate_low"]) == (11, 1.0, pytest.approx(0.741167, abs=5e-7))
    assert hidden["suppressed"]
    assert [hidden[name] for name in ("n", "rate", "recovered", "completeness")] == [None] * 4
    assert shown["n"] in {None, 15}


def test_the_same_group_has_one_size(frames: dict[str, pl.DataFrame]) -> None:
    recovery = frames["recovery_by_condition"]
    key = pl.col("condition_id").is_null() & pl.col("clinic_key").is_null() & (pl.col("care") == "any")
    one = key & (pl.col("period") == "all") & (pl.col("definition_id") == "recovered_v1")
    wrong = recovery.with_columns(n=pl.when(one).then(pl.col("n") + 1).otherwise("n"))
    with pytest.raises(ValueError, match="disagree about the size of known_recovered_v1") as refused:
        protect({**frames, "recovery_by_condition": wrong}, LAYOUTS, INTERNAL, None)
    assert str(recovery.filter(one)["n"].item()) not in str(refused.value)


def test_other_definitions_stand_over_all_periods_only(frames: Mapping[str, pl.DataFrame]) -> None:
    recovery = frames["recovery_by_condition"]
    periods = recovery.group_by(pl.col("definition_id") == "recovered_v1").agg(pl.col("period").n_unique())
    assert dict(periods.iter_rows())[True] > 1
    assert set(recovery.filter(pl.col("definition_id") != "recovered_v1")["period"]) <= {"all"}


def test_empty_marts_give_empty_frames_of_the_same_schema(
    frames: Mapping[str, pl.DataFrame], marts: Mapping[str, pl.DataFrame], audit: Mapping[str, pl.DataFrame]
) -> None:
    cleared = {name: table.clear() for name, table in {**marts, **audit}.items()}
    empty = exact_frames(cleared.__getitem__, CONTRACT, TOPICS)
    assert {name: frame.schema for name, frame in empty.items()} == {n: frame.schema for n, frame in frames.items()}
    assert all(empty[name].is_empty() for name in (*PEOPLE, "conservation", "quarantine_by_reason", "clinic"))
    assert empty["check_summary"].is_empty(), "no catalogue, no checks"


def test_two_rows_for_one_group_are_refused(
    marts: Mapping[str, pl.DataFrame], audit: Mapping[str, pl.DataFrame]
) -> None:
    rom = marts["marts.rom_cube"]
    doubled = {**marts, **audit, "marts.rom_cube": pl.concat([rom, rom.head(1)])}
    with pytest.raises(ValueError, match="same condition_id, clinic_key, care, period"):
        exact_frames(doubled.__getitem__, CONTRACT, TOPICS)


def test_label_lists(frames: Mapping[str, pl.DataFrame]) -> None:
    assert frames["condition"].sort("position")["condition_id"].to_list() == [
        item.condition_id for item in CONTRACT.conditions
    ]
    assert frames["definition"].filter("is_default")["definition_id"].to_list() == ["recovered_v1"]
    assert frames["clinic"]["clinic_key"].to_list() == ["c01", "c02", "c03", "c04", "c_eleven", "c_small"]
