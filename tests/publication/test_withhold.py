"""A number with an open critical check on its way is not published; the reason is."""

from __future__ import annotations

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.outcomes.published import LAYOUTS, STATISTICS
from assets.outcomes.tables import sources
from assets.publication.withhold import without_withheld

POSSIBLE = "measurement.value.possible.nprs_avg24h"
ROW_RULE = "adverse_event.severity.of_type"
SCHEMA = "adverse_event.schema"
REFERENCE = "treatment.visit_key.reference"
NO_WAITING = pl.DataFrame(schema={"check_id": pl.String, "to_correct": pl.Int64})
DELIVERIES = pl.DataFrame({"delivery_id": ["in", "out"], "state": ["accepted", "held"]})


def result(
    check_id: str, status: str = "fail", severity: str = "critical", delivery: str | None = "in"
) -> pl.DataFrame:
    return pl.DataFrame(
        [(check_id, delivery, severity, status)],
        schema=dict.fromkeys(("check_id", "delivery_id", "severity", "status"), pl.String),
        orient="row",
    )


def waiting(check_id: str, to_correct: int = 3) -> pl.DataFrame:
    return pl.DataFrame({"check_id": [check_id], "to_correct": [to_correct]})


def waived(check_id: str, delivery: str = "all", *, is_in_force: bool = True) -> pl.DataFrame:
    return pl.DataFrame(
        {"check_id": [check_id], "delivery_id": [delivery], "ends_on": ["2026-12-31"], "is_in_force": [is_in_force]}
    )


NO_HOLDS = waived(SCHEMA).clear()


def withheld(
    results: pl.DataFrame, quarantine: pl.DataFrame = NO_WAITING, holds: pl.DataFrame = NO_HOLDS
) -> pl.DataFrame:
    topic = sources.topic(STATISTICS)
    waivers = pl.DataFrame(schema={"check_id": pl.String, "until": pl.String, "rows": pl.Int64})
    marts = {
        "audit.check_result": results,
        "audit.conservation": DELIVERIES,
        "audit.hold_waiver": holds,
        "audit.quarantine": quarantine,
        "audit.quarantine_waiver": waivers,
    }
    return topic.build(marts, CONTRACT)["withheld"]


def test_a_failed_check_on_the_way_withholds_what_comes_after_it_and_nothing_else() -> None:
    found = withheld(result(SCHEMA))
    assert set(found["table_name"]) >= {"adverse_event_rate", "adverse_event_gap"}
    assert "recovery_by_condition" not in set(found["table_name"])
    assert set(found["table_name"]) <= set(LAYOUTS)
    assert found["reason"].unique().to_list() == ["the check 'Columns of adverse_event are as agreed' failed"]


@pytest.mark.parametrize(
    ("results", "quarantine"),
    [
        (result(SCHEMA, "pass"), NO_WAITING),
        (result(SCHEMA, "pass_with_violations"), NO_WAITING),
        (result(SCHEMA, severity="warning"), NO_WAITING),
        (result(SCHEMA, delivery="out"), NO_WAITING),
        (result(ROW_RULE), NO_WAITING),
        (result(ROW_RULE), waiting(ROW_RULE, 0)),
        (result(ROW_RULE), waiting(POSSIBLE)),
    ],
    ids=[
        "passed",
        "passed with exceptions",
        "warning",
        "delivery held",
        "no row",
        "corrected or waived",
        "other check",
    ],
)
def test_what_is_not_open_withholds_nothing(results: pl.DataFrame, quarantine: pl.DataFrame) -> None:
    assert withheld(results, quarantine).is_empty()


@pytest.mark.parametrize(
    ("results", "holds", "is_open"),
    [
        pytest.param(result(SCHEMA), waived(SCHEMA), False, id="waived"),
        pytest.param(result(SCHEMA), waived(SCHEMA, "in"), False, id="waived for this delivery"),
        pytest.param(result(SCHEMA), waived(SCHEMA, "other"), True, id="waived for another"),
        pytest.param(result(SCHEMA), waived(SCHEMA, is_in_force=False), True, id="the waiver has ended"),
        pytest.param(result(SCHEMA), waived(POSSIBLE), True, id="another check is waived"),
        pytest.param(result(SCHEMA, "error"), waived(SCHEMA), True, id="it could not run"),
        pytest.param(result(SCHEMA, delivery=None), waived(SCHEMA), False, id="a release, all waived"),
        pytest.param(result(SCHEMA, delivery=None), waived(SCHEMA, "in"), True, id="a release, a delivery waived"),
    ],
)
def test_a_check_whose_hold_is_waived_withholds_nothing_until_the_waiver_ends(
    results: pl.DataFrame, holds: pl.DataFrame, *, is_open: bool
) -> None:
    assert withheld(results, holds=holds).is_empty() is not is_open


def test_waivers_in_force_are_of_rows_and_of_holds() -> None:
    rows = pl.DataFrame({"check_id": [POSSIBLE], "until": ["2026-12-31"], "rows": [15]})
    holds = pl.concat([waived(SCHEMA, "a"), waived(SCHEMA, "b"), waived(REFERENCE, is_in_force=False)])
    assert sources.waiver_in_force(rows, holds).rows() == [
        (SCHEMA, "hold", "2026-12-31", None),
        (POSSIBLE, "to_do", "2026-12-31", 15),
    ]


def test_rows_that_wait_keep_a_failed_rule_open() -> None:
    found = withheld(result(ROW_RULE), waiting(ROW_RULE))
    assert set(found["check_id"]) == {ROW_RULE}
    assert all(reason.endswith("neither corrected nor waived") for reason in found["reason"])


def test_a_check_of_the_whole_release_counts_too() -> None:
    assert not withheld(result(REFERENCE, delivery=None), waiting(REFERENCE)).is_empty()


def test_a_check_that_could_not_run_is_open() -> None:
    found = withheld(result(ROW_RULE, "error"))
    assert all(reason.endswith("could not be carried out") for reason in found["reason"])
    assert not found.is_empty()


def test_a_check_of_one_measure_concerns_that_measure_where_tables_tell_measures_apart() -> None:
    found = withheld(result(POSSIBLE), waiting(POSSIBLE))
    named = dict(found.select("table_name", "measure_id").rows())
    assert named["measure_summary"] == "nprs_avg24h"
    assert named["recovery_by_condition"] is None
    assert {name for name, measure in named.items() if measure} <= sources.BY_MEASURE


def frames(found: pl.DataFrame) -> dict[str, pl.DataFrame]:
    rate = {
        "condition_id": [None, "sciatica"],
        "clinic_key": None,
        "care": "any",
        "period": "all",
        "definition_id": "x",
    }
    numbers = dict.fromkeys(LAYOUTS["recovery_by_condition"].numbers, 20)
    summary = {
        "condition_id": None,
        "care": "any",
        "measure_id": ["nprs_avg24h", "hit6"],
        "side": None,
        "planned_day": 28,
    }
    means = dict.fromkeys(LAYOUTS["measure_summary"].numbers, 20)
    named = {"statistic_id": "s.v1", "suppressed": False}
    return {
        "measure_summary": pl.DataFrame({**summary, **means, **named}),
        "recovery_by_condition": pl.DataFrame({**rate, **numbers, **named}),
        "withheld": found,
    }


def test_numbers_are_taken_out_and_everything_else_stays() -> None:
    before = frames(withheld(result(POSSIBLE), waiting(POSSIBLE)).filter(pl.col("table_name") != "pain_change"))
    known = before["withheld"].filter(pl.col("table_name").is_in(list(before)))
    after = without_withheld({**before, "withheld": known}, LAYOUTS)
    rates = after["recovery_by_condition"]
    layout = LAYOUTS["recovery_by_condition"]
    assert rates.columns == before["recovery_by_condition"].columns
    assert rates.select(*layout.keys, "statistic_id").equals(
        before["recovery_by_condition"].select(*layout.keys, "statistic_id")
    )
    assert all(rates[name].null_count() == rates.height for name in layout.numbers)
    assert rates["suppressed"].all()


def test_of_a_table_by_measure_the_other_measures_stay() -> None:
    before = frames(withheld(result(POSSIBLE), waiting(POSSIBLE)).filter(pl.col("table_name") == "measure_summary"))
    after = without_withheld(before, LAYOUTS)
    assert after["measure_summary"].select("measure_id", "n", "suppressed").rows() == [
        ("nprs_avg24h", None, True),
        ("hit6", 20, False),
    ]
    assert after["recovery_by_condition"].equals(before["recovery_by_condition"])


def test_without_an_open_check_nothing_changes() -> None:
    before = frames(withheld(result(SCHEMA, "pass")))
    after = without_withheld(before, LAYOUTS)
    assert all(after[name].equals(before[name]) for name in before)


# --- where numbers come from ---------------------------------------------------------------------------------------


def test_sources_are_read_from_the_models() -> None:
    found = sources.number_source(STATISTICS, CONTRACT)
    of = {
        kind: set(rows["source"])
        for (kind,), rows in found.filter(pl.col("table_name") == "adverse_event_rate")
        .partition_by("kind", as_dict=True)
        .items()
    }
    assert "marts.safety_cube" in of[sources.RELATION]
    assert {"sql/marts/safety_cube.sql", "sql/staging/adverse_event.sql"} <= of[sources.SQL]
    assert "adverse_event" in of[sources.DATA]
    assert of[sources.STATISTIC] == {CONTRACT.statistic("adverse_event_rate").versioned_id}


def test_every_table_about_patients_has_files_data_and_a_statistic() -> None:
    found = sources.number_source(STATISTICS, CONTRACT)
    for kind in (sources.SQL, sources.DATA, sources.STATISTIC):
        assert set(LAYOUTS) <= set(found.filter(pl.col("kind") == kind)["table_name"]), kind
