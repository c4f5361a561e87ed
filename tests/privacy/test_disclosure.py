"""No hidden group can be worked out from what is printed; without complementary hiding and rounding, it can."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from assets.outcomes.universes import IF_ALL_RECOVERED
from assets.privacy.disclosure.cells import cells_of
from assets.privacy.disclosure.cover import Problem, cover
from assets.privacy.disclosure.knowledge import knowledge
from assets.privacy.disclosure.layout import Count, Sum
from assets.privacy.disclosure.profiles import INTERNAL, PUBLIC, Profile
from assets.privacy.disclosure.protect import Protected, protect
from assets.privacy.disclosure.relations import Relations
from tests.privacy.disclosure_tables import Layout, Leaves, attack, leaves_of, pinned, rates, with_margins

CAPTURED_OF_A = ("scores", "clinic_key=a", "captured")
SIZE = st.one_of(st.integers(0, 14), st.integers(11, 60))


@st.composite
def tables(draw: st.DrawFn, dimensions: int) -> Leaves:
    """Groups small and large; some of each recovered."""
    shape = draw(st.sampled_from([(2, 3), (3, 3), (3, 4)]))
    places = [(f"condition {i}", f"clinic {j}") for i in range(shape[0]) for j in range(shape[1])]
    if dimensions > 2:
        places = [(*place, care) for place in places for care in ("needling", "other")]
    sizes = [draw(SIZE) for _ in places]
    return {place: (n, draw(st.integers(0, n))) for place, n in zip(places, sizes, strict=True)}


def published(leaves: Leaves, profile: Profile = INTERNAL, previous: Protected | None = None) -> Protected:
    dimensions = len(next(iter(leaves)))
    return protect(
        {"rates": with_margins(leaves)},
        {"rates": rates(dimensions)},
        profile,
        None if previous is None else previous.frames,
    )


def naive(leaves: Leaves) -> pl.DataFrame:
    """Only small groups hidden, nothing rounded: what must not be published."""
    frame = with_margins(leaves)
    small = pl.col("n").is_between(1, 10)
    return frame.with_columns(pl.when(~small).then(pl.col(name)).alias(name) for name in ("n", "recovered", "rate"))


def hidden_groups(found: Protected) -> set[str]:
    return set(found.log.filter(pl.col("column") == "n")["keys"])


@settings(max_examples=25, deadline=None)
@given(tables(2))
def test_two_way_tables_keep_their_hidden_groups(leaves: Leaves) -> None:
    for profile in (INTERNAL, PUBLIC):
        assert pinned(published(leaves, profile).frames["rates"], profile.width) == []


@settings(max_examples=12, deadline=None)
@given(tables(3))
def test_three_way_tables_keep_their_hidden_groups(leaves: Leaves) -> None:
    assert pinned(published(leaves).frames["rates"], INTERNAL.width) == []


ONE_SMALL = leaves_of([[30, 4, 25], [40, 22, 31], [18, 27, 36]])


IN_SMALL_COMPANY = leaves_of([[12, 1], [13, 14]])
"""Rounding alone leaves too little of the one."""


def test_the_attack_finds_a_group_that_is_hidden_alone() -> None:
    assert pinned(naive(ONE_SMALL), INTERNAL.width, rounded=False) == [("condition 0", "clinic 1")]
    assert attack(naive(ONE_SMALL), rounded=False) == {("condition 0", "clinic 1"): (4, 4)}


def test_a_hidden_group_gets_company_and_frames_do_not_tell_which_is_which() -> None:
    found = published(IN_SMALL_COMPANY)
    kinds = found.log["kind"].value_counts()
    assert set(kinds["kind"]) == {"primary", "complementary"}
    suppressed = found.frames["rates"].filter("suppressed")
    assert len(suppressed) > 1
    assert (
        suppressed.select(pl.all().exclude("condition_id", "clinic_key", "suppressed").is_null().all()).row(0)
        == (True,) * 3
    )
    assert "kind" not in found.frames["rates"].columns


def test_the_total_of_all_is_hidden_last() -> None:
    assert (
        not published(ONE_SMALL)
        .frames["rates"]
        .filter(pl.col("condition_id").is_null() & pl.col("clinic_key").is_null())["suppressed"]
        .item()
    )


def test_equal_totals_are_no_way_round() -> None:
    leaves = leaves_of([[5, 20, 20], [20, 5, 20], [20, 20, 5]])
    assert pinned(naive(leaves), INTERNAL.width, rounded=False)
    assert pinned(published(leaves).frames["rates"], INTERNAL.width) == []


def test_rates_of_shown_groups_are_as_exact_as_they_are_printed() -> None:
    leaves = leaves_of([[30, 44, 25], [40, 22, 31]])
    frame = published(leaves).frames["rates"]
    exact = with_margins(leaves)
    assert not frame["suppressed"].any()
    assert (frame["rate"] - exact["rate"]).abs().max() <= 0.005
    assert frame["n"].to_list() == [(n + 2) // 5 * 5 for n in exact["n"]]


def test_everything_small_is_everything_hidden() -> None:
    found = published(leaves_of([[1, 2], [1, 3]]))
    assert found.frames["rates"]["suppressed"].all()
    assert found.frames["rates"]["n"].null_count() == 9


def test_nobody_is_no_group() -> None:
    frame = published(leaves_of([[0, 30], [0, 40]])).frames["rates"]
    assert not frame["suppressed"].any()
    assert frame.filter(pl.col("clinic_key") == "clinic 0")["n"].to_list() == [0, 0, 0]


@pytest.mark.parametrize("profile", [INTERNAL, PUBLIC])
def test_empty_and_absent_tables(profile: Profile) -> None:
    empty = with_margins(ONE_SMALL).clear()
    found = protect({"rates": empty, "labels": pl.DataFrame({"a": [1]})}, {"rates": rates(), "other": rates()}, profile)
    assert len(found.frames["rates"]) == 0
    assert found.frames["rates"].columns[-1] == "suppressed"
    assert found.frames["labels"].to_dicts() == [{"a": 1}]
    assert len(found.log) == 0
    assert protect({}, {}, profile).frames == {}


def test_order_of_rows_does_not_matter_and_two_runs_are_equal() -> None:
    leaves = leaves_of([[30, 4, 12, 9], [40, 22, 3, 50], [18, 7, 36, 11]])
    keys = ["condition_id", "clinic_key"]
    first, again = published(leaves), published(leaves)
    assert first.frames["rates"].equals(again.frames["rates"])
    assert first.log.equals(again.log)
    shuffled = protect(
        {"rates": with_margins(leaves).sample(fraction=1, shuffle=True, seed=3)}, {"rates": rates()}, INTERNAL
    )
    assert (
        shuffled.frames["rates"].sort(keys, nulls_last=False).equals(first.frames["rates"].sort(keys, nulls_last=False))
    )
    assert shuffled.log.equals(first.log)


def test_a_cell_is_hidden_in_every_table_it_stands_in() -> None:
    leaves = IN_SMALL_COMPANY
    clinics = with_margins(leaves).filter(pl.col("clinic_key").is_not_null())
    pain = Layout(
        dict.fromkeys(("condition_id", "clinic_key"), pl.String()),
        {"known": pl.Int64(), "change": pl.Float64()},
        groups=("known",),
        counts={"known": Count("known")},
        decimals={"change": 1},
    )
    frame = clinics.select("condition_id", "clinic_key", known="n", change=pl.lit(2.345))
    found = protect({"rates": with_margins(leaves), "pain": frame}, {"rates": rates(), "pain": pain}, INTERNAL)
    both = found.frames["rates"].join(found.frames["pain"], on=["condition_id", "clinic_key"], nulls_equal=True)
    assert both["suppressed"].sum() > 1
    assert both["suppressed"].to_list() == both["suppressed_right"].to_list()
    assert set(both["change"].drop_nulls()) == {2.3}


def test_a_small_part_hides_only_what_rests_on_it() -> None:
    layout = Layout(
        {"clinic_key": pl.String()},
        dict.fromkeys(("n", "part"), pl.Int64()) | dict.fromkeys(("part_rate", "mean"), pl.Float64()),
        subgroups={"part": ("part", "part_rate")},
        counts={"n": Count("all"), "part": Count("some")},
    )
    frame = pl.DataFrame(
        {
            "clinic_key": ["a", "b", "c"],
            "n": [40, 40, 5],
            "part": [10, 0, 3],
            "part_rate": [0.1, None, 0.2],
            "mean": [3.0] * 3,
        }
    )
    out = protect({"t": frame}, {"t": layout}, INTERNAL).frames["t"]
    assert out["suppressed"].to_list() == [False, False, True]
    assert out["n"].to_list() == [40, 40, None]
    assert out["part"].to_list() == [None, 0, None]
    assert out["part_rate"].to_list() == [None, None, None]
    assert out["mean"].to_list() == [3.0, 3.0, None]


def test_declared_sums_are_looked_through() -> None:
    layout = Layout(
        {"day": pl.Int64()},
        dict.fromkeys(("n", "here", "gone"), pl.Int64()),
        subgroups={"here": ("here",), "gone": ("gone",)},
        counts={"n": Count("all", at={"day": None}), "here": Count("here"), "gone": Count("gone")},
        sums=(Sum("n", ("here", "gone")),),
    )
    frame = pl.DataFrame({"day": [1, 2], "n": [41, 41], "here": [40, 20], "gone": [1, 21]})
    out = protect({"t": frame}, {"t": layout}, INTERNAL).frames["t"]
    assert out["here"].to_list() == [None, 20]  # 40 printed beside 40 would leave 0 to 4


def test_public_protects_parts_and_marks_what_is_approximate() -> None:
    sizes = {
        "clinic_key": ["a", "b", "c", "d"],
        "n": [60] * 4,
        "recovered": [2, 0, 60, 30],
        "rate": [2 / 60, 0.0, 1.0, 0.5],
    }
    layout = Layout({"clinic_key": pl.String()}, rates().numbers, counts=rates().counts, ratios=rates().ratios)
    out = protect({"t": pl.DataFrame(sizes)}, {"t": layout}, PUBLIC).frames["t"]
    assert out.columns[-2:] == ["approximate", "suppressed"]
    assert out["recovered"].to_list() == [None, None, None, 30]
    assert out["rate"].to_list() == [0.08, 0.08, 0.92, 0.5]
    assert out["approximate"].to_list() == [True, True, True, False]


def test_words_are_made_from_what_is_printed() -> None:
    def words(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(word=pl.when("suppressed").then(pl.lit("few")).otherwise(pl.format("{}", "n")))

    layout = Layout({"clinic_key": pl.String()}, {"n": pl.Int64()}, counts={"n": Count("all")}, finish=words)
    frame = pl.DataFrame({"clinic_key": ["a", "b"], "n": [11, 10]})
    out = protect({"t": frame}, {"t": layout}, INTERNAL).frames["t"]
    assert out["word"].to_list() == ["15", "few"]
    assert out.columns[-1] == "suppressed"


def test_the_log_says_what_and_why_and_no_size() -> None:
    log = published(ONE_SMALL).log
    assert log.columns == ["table_name", "keys", "column", "kind", "reason"]
    assert log.filter(kind="primary").row(0)[:4] == (
        "rates",
        "condition_id=condition 0; clinic_key=clinic 1",
        "n",
        "primary",
    )
    assert not log["reason"].str.contains(r"\d").any()


def test_three_patients_more_do_not_tell_who_was_hidden_before() -> None:
    before = leaves_of([[30, 8, 25], [40, 22, 31], [18, 27, 36]])
    first = published(before)
    assert "condition_id=condition 0; clinic_key=clinic 1" in hidden_groups(first)
    now = {**before, ("condition 0", "clinic 1"): (11, 5)}  # is shown now, if nothing but this release counted
    assert ("condition_id=condition 0; clinic_key=clinic 1") not in hidden_groups(published(now))
    second = published(now, previous=first)
    then, later = first.frames["rates"], second.frames["rates"]
    assert later.columns == then.columns
    assert pinned(later, INTERNAL.width) == []


def test_what_was_shown_before_is_a_lower_limit_for_what_is_hidden_now() -> None:
    """A group of 12 was printed; as company of a new small one it would be known to be 11 or 12 and one or two more."""
    before = leaves_of([[12, 30], [20, 0]])
    first = published(before)
    assert not first.frames["rates"]["suppressed"].any()
    now = {**before, ("condition 1", "clinic 1"): (3, 1)}
    alone, after = published(now), published(now, previous=first)
    assert hidden_groups(alone) <= hidden_groups(after)
    assert pinned(after.frames["rates"], INTERNAL.width) == []


def test_what_the_previous_release_told_by_itself_hides_nothing_now() -> None:
    """Nobody was in a group that was hidden, and its total said so: no number of today takes that back."""
    first = published(leaves_of([[0, 0], [30, 40]]))
    empty = pl.struct("condition_id", "clinic_key").is_in([{"condition_id": "condition 0", "clinic_key": "clinic 1"}])
    hidden = {name: pl.when(~empty).then(pl.col(name)) for name in ("n", "recovered", "rate")}
    told = first.frames["rates"].with_columns(**hidden, suppressed=pl.col("suppressed") | empty)
    assert told.filter(empty)["n"].to_list() == [None]
    now = leaves_of([[20, 25], [30, 40]])
    after = published(now, previous=first._replace(frames={"rates": told}))
    assert hidden_groups(after) == hidden_groups(published(now)) == set()


def test_the_same_release_again_hides_the_same() -> None:
    first = published(ONE_SMALL)
    again = published(ONE_SMALL, previous=first)
    assert again.frames["rates"].equals(first.frames["rates"])


def test_tables_that_disagree_are_refused_without_a_size() -> None:
    frame = with_margins(ONE_SMALL)
    other = frame.with_columns(n=pl.col("n") + 7_777)
    with pytest.raises(ValueError, match=r"a\.n, b\.n disagree about the size of known") as raised:
        protect({"a": frame, "b": other}, {"a": rates(), "b": rates()}, INTERNAL)
    assert "7" not in str(raised.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": pl.col("n") - 1000}, "t: n holds a null or a negative size"),
        ({"n": pl.col("n").cast(pl.Float64)}, "t: n must be a whole number, not Float64"),
        ({"n": pl.lit(None, pl.Int64)}, "t: n holds a null or a negative size"),
        ({"suppressed": pl.lit(value=False)}, "t: the frame went through disclosure control before"),
    ],
)
def test_what_cannot_be_checked_is_refused(change: dict[str, pl.Expr], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        protect({"t": with_margins(ONE_SMALL).with_columns(**change)}, {"t": rates()}, INTERNAL)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="t: no column rate"):
        protect({"t": with_margins(ONE_SMALL).drop("rate")}, {"t": rates()}, INTERNAL)


# --- months of a year, and shares of several counts -------------------------------------------------------------------

YEARS = Layout({"clinic_key": pl.String(), "period": pl.String()}, {"n": pl.Int64()}, counts={"n": Count("known")})
MONTHS = replace(YEARS, counts={"n": Count("by_month_known")})
MONTHS_OF_2026 = (("2026-01", 18), ("2026-02", 23), ("2026-03", 28))
"""Printed as 20, 25 and 30: at least 69. With 3 in May the year is printed as 70, at most 72."""


def charted(*last: tuple[str, int]) -> dict[str, pl.DataFrame]:
    """Months of one clinic, and its year, in which nobody is known in any other month."""
    months = (*MONTHS_OF_2026, *last)
    return {
        name: pl.DataFrame([("a", *row) for row in rows], schema={**YEARS.keys, **YEARS.numbers}, orient="row")
        for name, rows in (("months", months), ("years", (("2026", sum(n for _, n in months)),)))
    }


@pytest.mark.parametrize(("last", "nested", "hidden"), [((), True, 0), ((("2026-05", 3),), False, 1)])
def test_months_without_a_small_one_or_without_their_year_hide_nothing_else(
    last: tuple[tuple[str, int], ...], *, nested: bool, hidden: int
) -> None:
    pairs = (("by_month_known", "known"),) if nested else ()
    done = protect(charted(*last), {"months": MONTHS, "years": YEARS}, INTERNAL, None, pairs)
    assert done.log.height == hidden


def test_what_the_other_months_leave_of_the_year_does_not_tell_a_small_one() -> None:
    layouts = {"months": MONTHS, "years": YEARS}
    done = protect(charted(("2026-05", 3)), layouts, INTERNAL, None, (("by_month_known", "known"),))
    assert done.log["kind"].value_counts().sort("kind").rows() == [("complementary", 1), ("primary", 1)]


def test_a_share_of_several_counts_bounds_each_of_them() -> None:
    """Of 100 who could be known 60 are, 30 of them recovered: with the unknown together 70 percent."""
    layout = Layout(
        {"condition_id": pl.String()},
        {"n": pl.Int64(), "recovered": pl.Int64(), "eligible": pl.Int64(), "rate_if_missing_all": pl.Float64()},
        groups=("n", "eligible"),
        counts={name: Count(name) for name in ("n", "recovered", "eligible")},
        mixed=IF_ALL_RECOVERED,
    )
    frame = pl.DataFrame({"condition_id": ["x"], "n": [60], "recovered": [30], "eligible": [100]})
    frame = frame.with_columns(rate_if_missing_all=pl.lit(0.7))
    cells = cells_of({"rates": frame}, {"rates": layout}, INTERNAL, {})
    found = knowledge(cells, np.zeros(len(cells.truth), dtype=bool), INTERNAL).relations

    def is_possible(n: int) -> bool:
        sizes = np.where(cells.truth == 60, n, cells.truth).astype(float)
        sums = found.matrix @ sizes
        return bool(((sums >= found.low) & (sums <= found.high)).all())

    assert [n for n in range(50, 70) if is_possible(n)] == [60]


# --- what may be hidden for the sake of others, and pairs tried again -------------------------------------------------


@pytest.mark.parametrize(("is_spare", "hidden"), [(False, ("pairs", "clinic_key=b", "n")), (True, CAPTURED_OF_A)])
def test_a_spare_count_is_hidden_rather_than_another_group(is_spare: bool, hidden: tuple[str, str, str]) -> None:  # noqa: FBT001
    """Nine pairs: six to fourteen by the sum over clinics, and at most the eleven with a score."""
    keys = {"clinic_key": pl.String()}
    pairs = Layout(keys, {"n": pl.Int64(), "mean": pl.Float64()}, counts={"n": Count("pairs")})
    scores = Layout(
        keys,
        {"n": pl.Int64(), "captured": pl.Int64(), "rate": pl.Float64()},
        counts={"n": Count("closed"), "captured": Count("captured", is_spare=is_spare)},
        ratios={"rate": ("captured", "n")},
    )
    frames = {
        "pairs": pl.DataFrame({"clinic_key": [None, "a", "b"], "n": [40, 9, 31], "mean": [2.0] * 3}),
        "scores": pl.DataFrame({"clinic_key": ["a"], "n": [41], "captured": [11], "rate": [11 / 41]}),
    }
    wide = replace(INTERNAL, width=7)
    done = protect(frames, {"pairs": pairs, "scores": scores}, wide, None, (("pairs", "captured"),))
    assert done.log.filter(kind="complementary").select("table_name", "keys", "column").rows() == [hidden]
    assert done.frames["scores"]["suppressed"].to_list() == [False]
    assert done.frames["scores"]["rate"].is_null().to_list() == [is_spare]


def test_sizes_behind_a_share_are_tried_again_when_sums_leave_fewer() -> None:
    """Half of 38 to 42 is 19, 20 or 21. Where a sum leaves 39 at most, it is 19 of 38: no half of 39 is whole."""
    layout = Layout(
        {"clinic_key": pl.String()},
        {"n": pl.Int64(), "part": pl.Int64(), "rate": pl.Float64()},
        counts={"n": Count("all"), "part": Count("part")},
        ratios={"rate": ("part", "n")},
    )
    frame = pl.DataFrame({"clinic_key": ["a"], "n": [40], "part": [20], "rate": [0.5]})
    cells = cells_of({"t": frame}, {"t": layout}, INTERNAL, {})
    known = knowledge(cells, np.zeros(len(cells.truth), dtype=bool), INTERNAL)
    part, size = (int(np.flatnonzero(cells.truth == n)[0]) for n in (20, 40))
    matrix = csr_array(([1.0], ([0], [size])), shape=(1, len(cells.truth)))
    at_most = Relations(matrix, np.array([0.0]), np.array([39.0]), np.array([False]))
    low, high = known.drawn(known.relations)
    assert (low[part], high[part]) == (19, 21)
    low, high = known.drawn(known.relations.joined(at_most))
    assert (low[size], high[size], low[part], high[part]) == (38, 38, 19, 19)


@pytest.mark.parametrize(("cost_above", "hidden"), [(1.0, [1]), (9.0, [2])])
def test_of_two_sides_that_bound_a_group_the_cheaper_is_opened(cost_above: float, hidden: list[int]) -> None:
    """The first is at most the second, which is 9, and at least 6: 40 without the third."""
    matrix = csr_array(np.array([[-1.0, 1.0, 0.0], [1.0, 0.0, 1.0]]))
    relations = Relations(matrix, np.array([0.0, 40.0]), np.array([100.0, 100.0]), np.zeros(2, dtype=bool))
    low, high = np.array([6.0, 9.0, 34.0]), np.array([9.0, 9.0, 34.0])
    problem = Problem(relations, low, high, np.array([False, True, True]), np.array([1.0, cost_above, 5.0]), 5)
    assert cover(problem, np.array([True, False, False])).tolist() == hidden
