"""What everybody may see: few groups, and none in which a reader could find somebody."""

from __future__ import annotations

import polars as pl
import pytest

from assets.contract import CONTRACT
from assets.outcomes.published import LAYOUTS
from assets.privacy.disclosure.profiles import INTERNAL
from assets.privacy.disclosure.protect import protect
from assets.publication.public_tables import CLINIC, RECOVERY, for_everybody, public_tables
from assets.publication.withhold import WITHHELD

IN_FORCE = CONTRACT.default_definition.definition_id
SIZES = {
    ("sciatica", "a"): (40, 20),
    ("sciatica", "b"): (60, 57),
    ("sciatica", "c"): (50, 25),
    ("neck_pain", "a"): (0, 0),
    ("neck_pain", "b"): (90, 40),
    ("neck_pain", "c"): (70, 30),
}
"""Known and recovered: one group with few who did not recover, and one with nobody."""


def exact() -> dict[str, pl.DataFrame]:
    rows = []
    for condition in (None, "sciatica", "neck_pain"):
        for clinic in (None, "a", "b", "c"):
            sizes = [size for (one, key), size in SIZES.items() if condition in (None, one) and clinic in (None, key)]
            known, recovered = (sum(size[place] for size in sizes) for place in (0, 1))
            for care, period, definition in (
                ("any", "all", IN_FORCE),
                ("any", "2026", IN_FORCE),
                ("any", "all", "pain_0"),
            ):
                rows.append(
                    {
                        "condition_id": condition,
                        "clinic_key": clinic,
                        "care": care,
                        "period": period,
                        "definition_id": definition,
                        "n": known,
                        "recovered": recovered,
                        "eligible": known,
                        "rate": recovered / known if known else None,
                        "completeness": 1.0 if known else None,
                    }
                )
    layout = LAYOUTS[RECOVERY]
    frame = pl.DataFrame(rows, schema={**layout.keys, **layout.numbers})
    return {
        RECOVERY: layout.arrange(frame),
        CLINIC: pl.DataFrame({"clinic_key": ["a", "b", "c"], "label": ["a", "b", "c"]}),
        WITHHELD: pl.DataFrame(schema=dict.fromkeys(("table_name", "check_id", "measure_id", "reason"), pl.String)),
    }


@pytest.fixture(scope="module")
def public() -> dict[str, pl.DataFrame]:
    return dict(public_tables(exact(), None).frames)


def cell(frame: pl.DataFrame, condition: str, clinic: str) -> dict[str, object]:
    (row,) = frame.filter((pl.col("condition_id") == condition) & (pl.col("clinic_key") == clinic)).to_dicts()
    return row


def test_only_all_years_any_care_and_the_definition_in_force(public: dict[str, pl.DataFrame]) -> None:
    assert set(public) == {CLINIC, RECOVERY}
    assert public[RECOVERY].select("care", "period", "definition_id").unique().rows() == [("any", "all", IN_FORCE)]
    assert public[RECOVERY].height == 12


def test_few_who_did_not_recover_are_not_told_of_exactly(public: dict[str, pl.DataFrame]) -> None:
    frame = public[RECOVERY]
    row = cell(frame, "sciatica", "b")
    assert row["approximate"] or row["suppressed"]
    assert row["recovered"] is None
    staff = protect({RECOVERY: for_everybody(exact()[RECOVERY])}, {RECOVERY: LAYOUTS[RECOVERY]}, INTERNAL).frames
    assert cell(staff[RECOVERY], "sciatica", "b")["rate"] == 0.95, "the clinic's own staff see it"


def test_a_group_of_nobody_is_no_secret(public: dict[str, pl.DataFrame]) -> None:
    row = cell(public[RECOVERY], "neck_pain", "a")
    assert (row["n"], row["rate"], row["suppressed"]) == (0, None, False)


def test_what_an_open_check_keeps_back_is_kept_back_from_everybody() -> None:
    reason = {"table_name": RECOVERY, "check_id": "x", "measure_id": None, "reason": "the check failed"}
    given = exact()
    given[WITHHELD] = pl.DataFrame([reason], schema=given[WITHHELD].schema)
    frame = public_tables(given, None).frames[RECOVERY]
    assert frame["suppressed"].all()
    assert frame["n"].null_count() == frame.height


def test_the_same_again_changes_nothing(public: dict[str, pl.DataFrame]) -> None:
    again = public_tables(exact(), public)
    assert again.frames[RECOVERY].equals(public[RECOVERY])
