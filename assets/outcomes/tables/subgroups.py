"""Published frames by subgroup: population, symptom duration, local twitch response, kinds of treatment.

Everything here is as recorded, not adjusted. Patients of different groups differ in more than the name of the group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.outcomes import universes
from assets.outcomes.frames import FLOAT, INTEGER, STRING, Count, Layout, Sum, columns, to_tenths
from assets.outcomes.methods.clustered import Clusters, Shared, clustered_difference, clustered_mean
from assets.outcomes.methods.means import deviation, mean, t_interval
from assets.outcomes.methods.proportions import missing_bounds, newcombe, share, wilson
from assets.outcomes.topic import Topic
from assets.outcomes.universes import EPISODES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from assets.contract.model import Contract
    from assets.outcomes.topic import Frames

DISCHARGE = "discharge"
YES, NO = "yes", "no"
NO_SIDE = "_no"

KNOWN = ("n", "recovered", "rate", "rate_low", "rate_high")
ELIGIBLE = ("eligible", "completeness", "rate_if_missing_none", "rate_if_missing_all")
PAIRS = ("pairs", "pair_share", "baseline_mean", "change_mean", "change_low", "change_high")
RESPONDERS = ("mcid_n", "mcid_responders", "mcid_rate", "mcid_low", "mcid_high")

IN_SUBGROUP = {
    "episodes": EPISODES,
    "n": universes.KNOWN,
    "recovered": universes.RECOVERED,
    "eligible": universes.ELIGIBLE,
    "pairs": universes.PAIRS,
    "mcid_n": universes.MCID_ROOM,
    "mcid_responders": universes.MCID_RESPONDERS,
}
WHOLE_DIMENSIONS = ("population", "symptom_duration")
"""Dimensions in which each episode is in one subgroup."""
NO_DIMENSION = {"dimension": None, "subgroup": None}


SUBGROUP = Layout(
    columns(STRING, "condition_id", "dimension", "subgroup"),
    {
        **columns(INTEGER, "episodes", *KNOWN[:2]),
        **columns(FLOAT, *KNOWN[2:]),
        **columns(INTEGER, ELIGIBLE[0]),
        **columns(FLOAT, *ELIGIBLE[1:]),
        **columns(INTEGER, PAIRS[0]),
        **columns(FLOAT, *PAIRS[1:]),
        **columns(INTEGER, *RESPONDERS[:2]),
        **columns(FLOAT, *RESPONDERS[2:]),
    },
    groups=("episodes",),
    subgroups={
        "n": (*KNOWN, "completeness", "rate_if_missing_none", "rate_if_missing_all"),
        "eligible": (*ELIGIBLE, *KNOWN),
        "pairs": (*PAIRS, *RESPONDERS),
        "mcid_n": RESPONDERS,
    },
    statistic="subgroup_outcome",
    counts={name: Count(universe) for name, universe in IN_SUBGROUP.items()},
    ratios={
        "rate": ("recovered", "n"),
        "completeness": ("n", "eligible"),
        "rate_if_missing_none": ("recovered", "eligible"),
        "pair_share": ("pairs", "episodes"),
        "mcid_rate": ("mcid_responders", "mcid_n"),
    },
    mixed=universes.IF_ALL_RECOVERED,
    decimals=dict.fromkeys(PAIRS[2:], 1),
    sums=(
        *(
            Sum(Count(universe, at=NO_DIMENSION), over="subgroup", part=name, where={"dimension": (dimension,)})
            for name, universe in IN_SUBGROUP.items()
            for dimension in WHOLE_DIMENSIONS
        ),
        Sum(
            Count(EPISODES, at={"dimension": "care_mix", "subgroup": "dry_needling"}),
            over="subgroup",
            part="episodes",
            where={"dimension": ("twitch",)},
        ),
    ),
)
MOMENT = {"discharge": "", "immediate": "session_"}
"""When twitch is looked at -> what stands before the universe: at discharge the episodes of the subgroups."""


def _twitch(universe: str) -> Count:
    """Of a subgroup by twitch."""
    return Count(
        f"{{}}{universe}", by=("outcome",), names=MOMENT, renamed={"twitch": "subgroup"}, at={"dimension": "twitch"}
    )


TWITCH = Layout(
    columns(STRING, "condition_id", "outcome", "twitch"),
    {
        **columns(INTEGER, "patients", "units", "pair_patients", PAIRS[0]),
        **columns(FLOAT, *PAIRS[1:]),
        **columns(INTEGER, "mcid_patients", *RESPONDERS[:2]),
        **columns(FLOAT, *RESPONDERS[2:]),
    },
    groups=("patients",),
    subgroups={
        "pair_patients": ("pair_patients", *PAIRS, "mcid_patients", *RESPONDERS),
        "mcid_patients": ("mcid_patients", *RESPONDERS),
    },
    statistic="twitch_outcome",
    counts={
        "patients": _twitch("patients"),
        "units": _twitch("units"),
        "pair_patients": _twitch("pair_patients"),
        "pairs": _twitch(universes.PAIRS),
        "mcid_patients": _twitch("mcid_patients"),
        "mcid_n": _twitch(universes.MCID_ROOM),
        "mcid_responders": _twitch(universes.MCID_RESPONDERS),
    },
    ratios={"pair_share": ("pairs", "units"), "mcid_rate": ("mcid_responders", "mcid_n")},
    decimals=dict.fromkeys(PAIRS[2:], 1),
)


def _side(side: str, *, pain: str, mcid: str) -> Count:
    """One side of the difference: the same as a row of the outcomes by twitch."""
    names = MOMENT | {"pain_change": pain, "mcid_rate": mcid}
    return Count("{}{}", by=("outcome", "quantity"), names=names, at={"dimension": "twitch", "subgroup": side})


def _difference_as_printed(protected: pl.DataFrame) -> pl.DataFrame:
    """Points have one decimal, shares two."""
    return to_tenths(protected, pl.col("quantity") == "pain_change", "yes", "no", "difference", "low", "high")


TWITCH_DIFFERENCE = Layout(
    columns(STRING, "condition_id", "outcome", "quantity"),
    {
        **columns(INTEGER, "yes_n", "yes_patients", "no_n", "no_patients"),
        **columns(FLOAT, "yes", "no", "difference", "low", "high"),
    },
    groups=("yes_patients", "no_patients"),
    statistic="twitch_difference",
    counts={
        **{f"{side}_n": _side(side, pain=universes.PAIRS, mcid=universes.MCID_ROOM) for side in (YES, NO)},
        **{f"{side}_patients": _side(side, pain="pair_patients", mcid="mcid_patients") for side in (YES, NO)},
    },
    finish=_difference_as_printed,
)
CARE_MIX = Layout(
    columns(STRING, "condition_id", "treatment_class"),
    {
        **columns(INTEGER, "episodes", "with_class"),
        **columns(FLOAT, "share"),
        **columns(INTEGER, "sessions", "needled", "needled_with_class"),
        **columns(FLOAT, "needled_share"),
    },
    groups=("episodes", "with_class"),
    subgroups={
        "needled": ("needled", "needled_with_class", "needled_share"),
        "needled_with_class": ("needled_with_class", "needled_share"),
    },
    statistic="care_mix",
    counts={
        "episodes": Count(EPISODES, at={"treatment_class": None}),
        "with_class": Count(EPISODES, renamed={"treatment_class": "subgroup"}, at={"dimension": "care_mix"}),
        "sessions": Count("class_sessions"),
        "needled": Count(EPISODES, at={"treatment_class": None, "dimension": "care_mix", "subgroup": "dry_needling"}),
        "needled_with_class": Count("needled_with_class"),
    },
    ratios={"share": ("with_class", "episodes"), "needled_share": ("needled_with_class", "needled")},
)


def subgroup_outcome(subgroup_cube: pl.DataFrame) -> pl.DataFrame:
    """Recovery, change in pain and responders of each subgroup, with how many of it have a known outcome.

    ``pair_share`` is the part of all episodes, open ones included, with comparable pain at both ends.
    """
    cube = subgroup_cube
    rate, low, high = wilson(cube["recovered"], cube["known"])
    none, every = missing_bounds(cube["recovered"], cube["known"], cube["eligible"])
    change = mean(cube["change_sum"], cube["pairs"])
    spread = deviation(cube["change_sum"], cube["change_sum_squares"], cube["pairs"])
    change_low, change_high = t_interval(change, spread, cube["pairs"])
    return SUBGROUP.arrange(
        cube.with_columns(
            n=pl.col("known"),
            rate=pl.Series(rate),
            rate_low=pl.Series(low),
            rate_high=pl.Series(high),
            completeness=pl.Series(share(cube["known"], cube["eligible"])),
            rate_if_missing_none=pl.Series(none),
            rate_if_missing_all=pl.Series(every),
            pair_share=pl.Series(share(cube["pairs"], cube["episodes"])),
            baseline_mean=pl.Series(mean(cube["baseline_sum"], cube["pairs"])),
            change_mean=pl.Series(change),
            change_low=pl.Series(change_low),
            change_high=pl.Series(change_high),
            **_responders(cube),
        )
    )


def twitch_outcome(twitch_cube: pl.DataFrame) -> pl.DataFrame:
    """Change in pain by local twitch response, after the session and at discharge, in points of 0 to 10.

    Units are sessions (immediate) or episodes (discharge). Several units of one patient are alike, which the interval
    takes into account. Responders are counted at discharge only.
    """
    cube = twitch_cube
    pairs = cube["pairs"]
    change, low, high = clustered_mean(_clusters(cube))
    return TWITCH.arrange(
        cube.with_columns(
            pair_share=pl.Series(share(pairs, cube["units"])),
            baseline_mean=pl.Series(mean(cube["baseline_sum"], pairs)),
            change_mean=pl.Series(change),
            change_low=pl.Series(low),
            change_high=pl.Series(high),
            **_responders(cube),
        )
    )


def twitch_difference(twitch_cube: pl.DataFrame) -> pl.DataFrame:
    """Twitch seen minus not seen, not adjusted: change in pain (points), and at discharge the share of responders.

    Sessions of one patient may lie on both sides of the difference in pain, which its interval takes into account.
    """
    yes, no = (twitch_cube.filter(pl.col("twitch") == answer) for answer in (YES, NO))
    both = yes.join(no, on=["condition_id", "outcome"], how="inner", suffix=NO_SIDE, nulls_equal=True)
    first, second = _clusters(both), _clusters(both, NO_SIDE)
    shared = Shared(
        *_floats(both, "patients_also_no", "change_by_no_change", "change_by_no_pairs"),
        *_floats(both, "pairs_by_no_change", "pairs_by_no_pairs"),
    )
    change = _difference(
        both,
        "pain_change",
        ("pairs", "pair_patients"),
        (first.mean, second.mean, *clustered_difference(first, second, shared)),
    )
    ends = both.filter(pl.col("outcome") == DISCHARGE)
    counts = [ends[f"mcid_{name}{side}"] for side in ("", NO_SIDE) for name in ("responders", "eligible")]
    shares = (share(*counts[:2]), share(*counts[2:]), *newcombe(*counts))
    rate = _difference(ends, "mcid_rate", ("mcid_eligible", "mcid_patients"), shares)
    return TWITCH_DIFFERENCE.arrange(pl.concat([change, rate]))


def care_mix(care_mix_cube: pl.DataFrame) -> pl.DataFrame:
    """Share of episodes, and of needled episodes, that received each kind of treatment. Kinds overlap."""
    cube = care_mix_cube
    return CARE_MIX.arrange(
        cube.with_columns(
            share=pl.Series(share(cube["with_class"], cube["episodes"])),
            needled_share=pl.Series(share(cube["needled_with_class"], cube["needled"])),
        )
    )


def _responders(cube: pl.DataFrame) -> dict[str, pl.Series]:
    rate, low, high = wilson(cube["mcid_responders"], cube["mcid_eligible"])
    counts = (cube["mcid_eligible"], cube["mcid_responders"])
    return dict(zip(RESPONDERS, (*counts, *map(pl.Series, (rate, low, high))), strict=True))


def _clusters(cube: pl.DataFrame, side: str = "") -> Clusters:
    """Changes in pain of a group, with patients as clusters."""
    names = ("change_sum", "pairs", "pair_patients", "change_by_change", "change_by_pairs", "pairs_by_pairs")
    return Clusters(*_floats(cube, *(f"{name}{side}" for name in names)))


def _floats(cube: pl.DataFrame, *names: str) -> Iterator[NDArray[np.float64]]:
    return (cube[name].cast(pl.Float64).to_numpy() for name in names)


def _difference(
    both: pl.DataFrame, quantity: str, sizes: tuple[str, str], numbers: Sequence[NDArray[np.float64]]
) -> pl.DataFrame:
    n, patients = sizes
    names = ("yes", "no", "difference", "low", "high")
    return both.select(
        *("condition_id", "outcome"),
        quantity=pl.lit(quantity, pl.String),
        yes_n=pl.col(n),
        yes_patients=pl.col(patients),
        no_n=pl.col(f"{n}{NO_SIDE}"),
        no_patients=pl.col(f"{patients}{NO_SIDE}"),
        **{name: pl.Series(values, dtype=pl.Float64) for name, values in zip(names, numbers, strict=True)},
    )


def _build(marts: Frames, _: Contract) -> dict[str, pl.DataFrame]:
    return {
        "care_mix": care_mix(marts["marts.care_mix_cube"]),
        "subgroup_outcome": subgroup_outcome(marts["marts.subgroup_cube"]),
        "twitch_difference": twitch_difference(marts["marts.twitch_cube"]),
        "twitch_outcome": twitch_outcome(marts["marts.twitch_cube"]),
    }


TOPIC = Topic(
    reads=("marts.subgroup_cube", "marts.twitch_cube", "marts.care_mix_cube"),
    tables={
        "care_mix": "Kinds of treatment that episodes, and needled episodes, received",
        "subgroup_outcome": "Recovery and change in pain by population, symptom duration, twitch and kind of treatment",
        "twitch_difference": "Change in pain and responders, twitch seen minus not seen, not adjusted",
        "twitch_outcome": "Change in pain by local twitch response, after the session and at discharge",
    },
    build=_build,
    layouts={
        "care_mix": CARE_MIX,
        "subgroup_outcome": SUBGROUP,
        "twitch_difference": TWITCH_DIFFERENCE,
        "twitch_outcome": TWITCH,
    },
)
