"""Published frames of clinics beside the network: funnel, spread, shrunken estimates. Never a rank, never a grade.

Outcomes are recovery by each definition (a share) and the change in pain (points); more is better in both. Clinics are
compared only if they have enough patients to be shown and enough known outcomes; the others keep their own numbers and
say why they are not compared. Whoever is not compared has no part in the spread either.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.contract.definitions import (
    COMPARISON_MINIMUM_CLINICS,
    RELIABILITY_TARGET,
)
from assets.outcomes.completeness import BELOW_FLOOR, completeness_word
from assets.outcomes.frames import (
    ALL_PERIODS,
    ANY_CARE,
    BOOLEAN,
    FLOAT,
    INTEGER,
    STRING,
    Layout,
    columns,
    in_fives,
    to_tenths,
)
from assets.outcomes.methods.funnel import (
    ACTION_LEVEL,
    WARNING_LEVEL,
    binomial_limits,
    binomial_lines,
    mean_limits,
    zone,
)
from assets.outcomes.methods.means import deviation, mean
from assets.outcomes.methods.overdispersion import arcsine, dispersion, share_limits, value_limits
from assets.outcomes.methods.proportions import share
from assets.outcomes.methods.shrinkage import (
    FEWEST_FOR_SHRINKAGE,
    patients_for_reliability,
    quarter_probabilities,
    random_effects,
    reliability,
    shrink,
    told_apart,
)
from assets.outcomes.topic import Topic
from assets.outcomes.universes import PAIN_CHANGE, eligible_by, known_by
from assets.privacy.disclosure.profiles import MINIMUM_GROUP, rounded_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assets.contract.model import Contract
    from assets.outcomes.topic import Frames

    Floats = NDArray[np.float64]
    Pair = tuple[Floats, Floats]
    Numbers = dict[str, float | int | str | bool | None]

TOO_FEW_PATIENTS, TOO_INCOMPLETE = "too_few_patients", "too_incomplete"
TOO_FEW_CLINICS, NO_VARIATION = "too_few_clinics", "no_variation"
REASONS = (TOO_FEW_PATIENTS, TOO_INCOMPLETE, TOO_FEW_CLINICS, NO_VARIATION)
"""Why there is no comparison: of a clinic the first two, of all clinics of a condition and outcome the others."""

GROUP = columns(STRING, "condition_id", "outcome_id")
CLINIC = columns(STRING, "condition_id", "outcome_id", "clinic_key")
LIMITS = ("low_95", "high_95", "low_998", "high_998")
CHANCE_LIMITS = tuple(f"chance_{name}" for name in LIMITS)
LINES = tuple(f"line_{name}" for name in LIMITS)
SIZES = columns(INTEGER, "n", "eligible", "network_n")
SIZE_COUNTS = {
    "n": known_by("outcome_id"),
    "eligible": eligible_by("outcome_id"),
    "network_n": known_by("outcome_id", clinic_key=None, at_n=None),
}
IS_PAIN = pl.col("outcome_id") == PAIN_CHANGE


def _funnel_as_printed(protected: pl.DataFrame) -> pl.DataFrame:
    """Points have one decimal, shares two."""
    return to_tenths(protected, IS_PAIN, "value", "network", *LINES, *CHANCE_LIMITS, *LIMITS)


FUNNEL = Layout(
    CLINIC,
    {
        **SIZES,
        **columns(FLOAT, "value", "network", "completeness"),
        **columns(STRING, "completeness_word", "not_compared"),
        **columns(FLOAT, *LINES, *CHANCE_LIMITS),
        **columns(STRING, "chance_zone"),
        **columns(BOOLEAN, "is_widened"),
        **columns(FLOAT, *LIMITS),
        **columns(STRING, "zone"),
    },
    groups=tuple(SIZES),
    statistic="clinic_funnel",
    counts=SIZE_COUNTS,
    ratios={"completeness": ("n", "eligible")},
    finish=_funnel_as_printed,
)
LINE_SIZES = tuple(dict.fromkeys(round(10 ** (step / 24)) for step in range(24, 24 * 6 + 1)))
"""Sizes at which lines are drawn, 24 to each power of ten from 10 to a million, whatever the sizes of the clinics."""
FIRST_LINE_PERCENT, LAST_LINE_PERCENT = 70, 112
"""Of the smallest and of the largest clinic that is compared, as printed: lines are drawn to the next size beyond."""
WIDENED_LINES = tuple(f"widened_{name}" for name in LIMITS)


def _line_as_printed(protected: pl.DataFrame) -> pl.DataFrame:
    """Points have one decimal, shares two."""
    return to_tenths(protected, IS_PAIN, "network", *LINES, *WIDENED_LINES)


FUNNEL_LINE = Layout(
    {**GROUP, **columns(INTEGER, "at_n")},
    {
        **columns(INTEGER, "network_n"),
        **columns(FLOAT, "network", *LINES),
        **columns(BOOLEAN, "is_widened"),
        **columns(FLOAT, *WIDENED_LINES),
    },
    groups=("network_n",),
    statistic="clinic_funnel",
    counts={"network_n": SIZE_COUNTS["network_n"]},
    finish=_line_as_printed,
)
SHRUNKEN_NUMBERS = (
    *("shrunken", "shrunken_low", "shrunken_high", "weight"),
    *("probability_best_quarter", "probability_worst_quarter"),
)


def _shrunken_as_printed(protected: pl.DataFrame) -> pl.DataFrame:
    """Points have one decimal, shares two."""
    return to_tenths(protected, IS_PAIN, "value", *SHRUNKEN_NUMBERS[:3])


SHRUNKEN = Layout(
    CLINIC,
    {
        **SIZES,
        **columns(FLOAT, "value", *SHRUNKEN_NUMBERS),
        **columns(INTEGER, "clinics", "differs_from"),
        **columns(STRING, "not_compared"),
    },
    groups=tuple(SIZES),
    statistic="clinic_shrunken",
    counts=SIZE_COUNTS,
    plain=("clinics", "differs_from"),
    finish=_shrunken_as_printed,
)
SPREAD_NUMBERS = (
    *("phi", "tau2", "q", "chance_p", "between_sd", "icc", "median_patients", "median_reliability"),
    "patients_needed",
)
SPREAD_COUNTS = ("pairs", "pairs_apart")


def _spread_as_printed(protected: pl.DataFrame) -> pl.DataFrame:
    """What a clinic needs and has, rounded as counts are, and the sentence from these."""
    found = in_fives("median_patients", "patients_needed")(protected)
    said = [
        None if alike is None or median is None else _reliability_sentence(needed, median, typical)
        for alike, median, needed, typical in found.select(
            "all_alike", "median_patients", "patients_needed", "median_reliability"
        ).iter_rows()
    ]
    return found.with_columns(reliability_sentence=pl.Series(said, dtype=pl.String))


SPREAD = Layout(
    GROUP,
    {
        **columns(INTEGER, "network_n", "clinics"),
        **columns(FLOAT, *SPREAD_NUMBERS),
        **columns(INTEGER, *SPREAD_COUNTS),
        **columns(BOOLEAN, "all_alike"),
        **columns(STRING, "reason", "reliability_sentence", "pairs_sentence"),
    },
    groups=("network_n",),
    statistic="clinic_spread",
    counts={"network_n": SIZE_COUNTS["network_n"]},
    plain=("clinics", *SPREAD_COUNTS),
    decimals={"chance_p": 3},
    finish=_spread_as_printed,
)


def clinic_cells(recovery_cube: pl.DataFrame, pain_cube: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """One row per condition (null: all), outcome and clinic, in that order: sizes, values, why not compared.

    ``patient_sd`` is the SD of one patient, sqrt(p (1 - p)) of the network's share or the pooled SD within clinics, and
    ``degrees`` the degrees of freedom it is known with (infinite for shares).
    """
    closed = _whole(recovery_cube).with_columns(closed=pl.col("episodes") - pl.col("open"))
    recovery = _recovery_cells(closed)
    pain = _pain_cells(_whole(pain_cube), closed, contract)
    word = completeness_word("n", "eligible")
    few = pl.min_horizontal("n", "eligible") < MINIMUM_GROUP
    cells = pl.concat([recovery, pain], how="diagonal").sort("condition_id", "outcome_id", "clinic_key")
    return cells.with_columns(
        completeness=pl.Series(share(cells["n"], cells["eligible"])),
        completeness_word=word,
        not_compared=pl.when(few).then(pl.lit(TOO_FEW_PATIENTS)).when(word == BELOW_FLOOR).then(pl.lit(TOO_INCOMPLETE)),
    )


def clinic_funnel(cells: pl.DataFrame) -> pl.DataFrame:
    """Every clinic with the limits of its size, by chance alone and widened by the variation between clinics.

    ``zone`` uses the wider limits (equal to those by chance where the variation is not estimated or not above
    chance); ``chance_zone`` those by chance. ``line_...`` is what a chart draws, see ``methods.funnel``.
    """
    compared = cells.filter(pl.col("not_compared").is_null())
    tau2 = compared.join(_widening(compared), on=list(GROUP), how="left", nulls_equal=True, maintain_order="left")
    widening = tau2["tau2"].fill_null(0.0).to_numpy()
    chance = [_chance_limits(compared, level) for level in (WARNING_LEVEL, ACTION_LEVEL)]
    wide = [
        _widened(compared, widening, limits, level)
        for limits, level in zip(chance, (WARNING_LEVEL, ACTION_LEVEL), strict=True)
    ]
    lines = [_lines(compared, level) for level in (WARNING_LEVEL, ACTION_LEVEL)]
    value = compared["value"].to_numpy()
    found = compared.select(*CLINIC).with_columns(
        *_named(LINES, lines),
        *_named(CHANCE_LIMITS, chance),
        *_named(LIMITS, wide),
        is_widened=pl.Series(widening > 0),
        chance_zone=pl.Series(zone(value, *chance), dtype=pl.String),
        zone=pl.Series(zone(value, *wide), dtype=pl.String),
    )
    return FUNNEL.arrange(cells.join(found, on=list(CLINIC), how="left", nulls_equal=True))


def funnel_line(cells: pl.DataFrame) -> pl.DataFrame:
    """Lines to draw a funnel with, at those of ``LINE_SIZES`` (``at_n``) between the ends.

    ``line_...`` by chance alone, ``widened_...`` with the variation between clinics (equal where none is added). Lines
    are drawn; only the limits of ``clinic_funnel``, which are whole patients, decide.
    """
    compared = cells.filter(pl.col("not_compared").is_null())
    drawn = (
        compared.group_by(list(GROUP), maintain_order=True)
        .agg(
            pl.col("n").min().alias("least"),
            pl.col("n").max().alias("most"),
            pl.col("network_n", "network", "patient_sd", "is_share", "degrees").first(),
        )
        .with_columns(at_n=pl.struct("least", "most").map_elements(_sizes, return_dtype=pl.List(pl.Int64)))
        .explode("at_n")
        .join(_widening(compared), on=list(GROUP), how="left", nulls_equal=True, maintain_order="left")
        .with_columns(n=pl.col("at_n"))
    )
    tau2 = drawn["tau2"].fill_null(0.0).to_numpy()
    levels = (WARNING_LEVEL, ACTION_LEVEL)
    lines = [_lines(drawn, level) for level in levels]
    wide = [_widened(drawn, tau2, line, level) for line, level in zip(lines, levels, strict=True)]
    return FUNNEL_LINE.arrange(
        drawn.with_columns(*_named(LINES, lines), *_named(WIDENED_LINES, wide), is_widened=pl.Series(tau2 > 0))
    )


def clinic_spread(cells: pl.DataFrame) -> pl.DataFrame:
    """How much the clinics of each condition and outcome differ beyond chance, and what that asks of a clinic.

    Whether clinics differ at all (``q``, ``chance_p``, pairs) takes 4 clinics that can be compared, how much they do
    ``COMPARISON_MINIMUM_CLINICS``; ``reason`` says why the latter, and the former if null, is missing. ``tau2``
    is the over-dispersion of the funnel: of shares on the arcsine scale. ``between_sd`` is in the unit of the
    outcome (shares 0 to 1), not winsorised. ``patients_needed`` is null where clinics do not differ. The sentence on
    reliability is written from what is printed.
    """
    rows = [
        {**dict(zip(GROUP, key, strict=True)), **_spread(group)}
        for key, group in cells.group_by(list(GROUP), maintain_order=True)
    ]
    return SPREAD.arrange(pl.DataFrame(rows, schema={**SPREAD.keys, **SPREAD.numbers}))


def clinic_shrunken(cells: pl.DataFrame) -> pl.DataFrame:
    """Every clinic's own value and the one pulled towards the network, and how it lies among the others.

    ``clinics`` are compared with one another; of these ``differs_from`` can be told apart from this one. 4 clinics are
    enough, because the intervals allow for how little is known of the variation between so few (a test says how well).
    """
    found = [
        _shrunken(group)
        for _, group in cells.filter(pl.col("not_compared").is_null()).group_by(list(GROUP), maintain_order=True)
    ]
    schema = {**CLINIC, **{name: SHRUNKEN.numbers[name] for name in (*SHRUNKEN_NUMBERS, "clinics", "differs_from")}}
    frame = pl.concat([pl.DataFrame(schema={**schema, "reason": STRING}), *found])
    joined = cells.join(frame, on=list(CLINIC), how="left", nulls_equal=True)
    return SHRUNKEN.arrange(joined.with_columns(not_compared=pl.coalesce("not_compared", "reason")))


def _whole(cube: pl.DataFrame) -> pl.DataFrame:
    return cube.filter((pl.col("period") == ALL_PERIODS) & (pl.col("care") == ANY_CARE))


def _recovery_cells(cube: pl.DataFrame) -> pl.DataFrame:
    rates = cube.select(
        "condition_id",
        "clinic_key",
        "eligible",
        outcome_id="definition_id",
        n="known",
        value=pl.Series(share(cube["recovered"], cube["known"])),
    )
    network = rates.filter(pl.col("clinic_key").is_null()).select(
        *GROUP, network_n="n", network="value", patient_sd=(pl.col("value") * (1 - pl.col("value"))).sqrt()
    )
    clinics = rates.filter(pl.col("clinic_key").is_not_null())
    return clinics.join(network, on=list(GROUP), how="left", nulls_equal=True).with_columns(
        is_share=pl.lit(value=True), degrees=pl.lit(np.inf)
    )


def _pain_cells(cube: pl.DataFrame, closed: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    n = cube["pairs"]
    default = contract.default_definition.definition_id
    means = cube.select(
        "condition_id",
        "clinic_key",
        n="pairs",
        value=pl.Series(mean(cube["change_sum"], n)),
        sd=pl.Series(deviation(cube["change_sum"], cube["change_sum_squares"], n)),
    ).sort("condition_id", "clinic_key")
    clinics = means.filter(pl.col("clinic_key").is_not_null())
    freedom = pl.col("n") - 1
    within = clinics.group_by("condition_id").agg(
        degrees=freedom.sum().cast(pl.Float64), squares=(freedom * pl.col("sd").fill_nan(0.0) ** 2).sum()
    )
    network = (
        means.filter(pl.col("clinic_key").is_null())
        .join(within, on="condition_id", how="left", nulls_equal=True)
        .select(
            "condition_id",
            "degrees",
            network_n="n",
            network="value",
            patient_sd=(pl.col("squares") / pl.col("degrees")).sqrt(),
        )
    )
    eligible = closed.filter(
        pl.col("clinic_key").is_not_null() & (pl.col("definition_id") == default) & (pl.col("closed") > 0)
    ).select("condition_id", "clinic_key", eligible="closed")
    return (
        eligible.join(clinics.drop("sd"), on=["condition_id", "clinic_key"], how="left", nulls_equal=True)
        .join(network, on="condition_id", how="left", nulls_equal=True)
        .with_columns(
            pl.col("n", "network_n").fill_null(0), outcome_id=pl.lit(PAIN_CHANGE), is_share=pl.lit(value=False)
        )
    )


def _chance_limits(cells: pl.DataFrame, level: float) -> Pair:
    """Limits by chance alone; the clinics are compared, so each has patients and a network."""
    shares = binomial_limits(*_share_input(cells), level)
    means = mean_limits(
        cells["n"].to_numpy(), cells["network"].to_numpy(), cells["patient_sd"].to_numpy(), level, cells["degrees"]
    )
    return _by_kind(cells, shares, means)


def _lines(cells: pl.DataFrame, level: float) -> Pair:
    return _by_kind(cells, binomial_lines(*_share_input(cells), level), _chance_limits(cells, level))


def _widened(cells: pl.DataFrame, tau2: Floats, chance: Pair, level: float) -> Pair:
    """Additive limits, never inside those by chance, which are exact at small sizes."""
    shares = share_limits(*_share_input(cells), tau2, level)
    error = cells["patient_sd"].to_numpy() / np.sqrt(cells["n"].to_numpy())
    low, high = _by_kind(cells, shares, value_limits(error, cells["network"].to_numpy(), tau2, level))
    wider = tau2 > 0
    return np.where(wider, np.minimum(low, chance[0]), chance[0]), np.where(
        wider, np.maximum(high, chance[1]), chance[1]
    )


def _share_input(cells: pl.DataFrame) -> tuple[Floats, Floats]:
    """Sizes and shares; of means, whose limits are computed otherwise, a share that is one."""
    return cells["n"].to_numpy(), np.where(cells["is_share"].to_numpy(), cells["network"].to_numpy(), 0.5)


def _by_kind(cells: pl.DataFrame, shares: Pair, means: Pair) -> Pair:
    kind = cells["is_share"].to_numpy()
    return np.where(kind, shares[0], means[0]), np.where(kind, shares[1], means[1])


def _sizes(ends: dict[str, int]) -> list[int]:
    least, most = (int(size) for size in rounded_count([ends["least"], ends["most"]]))
    first = bisect_right(LINE_SIZES, least * FIRST_LINE_PERCENT / 100) - 1
    last = bisect_left(LINE_SIZES, most * LAST_LINE_PERCENT / 100)
    return list(LINE_SIZES[max(first, 0) : last + 1])


def _named(names: tuple[str, ...], pairs: list[Pair]) -> list[pl.Series]:
    return [
        pl.Series(name, values) for name, values in zip(names, (limit for pair in pairs for limit in pair), strict=True)
    ]


def _reason(compared: pl.DataFrame, fewest: int) -> str | None:
    """Why something that takes so many clinics is not estimated from these; None if it is."""
    if compared.height < fewest:
        return TOO_FEW_CLINICS
    return None if compared["patient_sd"][0] > 0 else NO_VARIATION


def _widening(compared: pl.DataFrame) -> pl.DataFrame:
    rows = [
        (*key, _overdispersion(group)[1])
        for key, group in compared.group_by(list(GROUP), maintain_order=True)
        if _reason(group, COMPARISON_MINIMUM_CLINICS) is None
    ]
    return pl.DataFrame(rows, schema={**GROUP, "tau2": FLOAT}, orient="row")


def _overdispersion(compared: pl.DataFrame) -> tuple[float, float]:
    """Phi and tau2, of shares on the arcsine scale."""
    value, n, network = compared["value"].to_numpy(), compared["n"].to_numpy(), compared["network"][0]
    if compared["is_share"][0]:
        values, errors = arcsine(value, n)
        found = dispersion(values, float(arcsine(network, 1)[0]), errors)
    else:
        found = dispersion(value, network, compared["patient_sd"].to_numpy() / np.sqrt(n))
    return found.phi, found.tau2


def _spread(cells: pl.DataFrame) -> Numbers:
    compared = cells.filter(pl.col("not_compared").is_null())
    size: Numbers = {"network_n": cells["network_n"][0], "clinics": compared.height}
    reason = _reason(compared, FEWEST_FOR_SHRINKAGE)
    if reason is not None:
        return {**size, "reason": reason}
    value, n = compared["value"].to_numpy(), compared["n"].to_numpy()
    within = float(compared["patient_sd"][0]) ** 2
    pool = random_effects(value, within / n)
    posterior = shrink(value, within / n, pool)
    pairs = compared.height * (compared.height - 1) // 2
    apart = int(told_apart(posterior.value, posterior.error).sum()) // 2
    differences: Numbers = {
        "q": pool.q,
        "chance_p": pool.p,
        "pairs": pairs,
        "pairs_apart": apart,
        "all_alike": apart == 0,
        "pairs_sentence": _pairs_sentence(pairs, apart),
    }
    reason = _reason(compared, COMPARISON_MINIMUM_CLINICS)
    extent = {"reason": reason} if reason is not None else _extent(compared, pool.tau2, within)
    return {**size, **differences, **extent}


def _extent(compared: pl.DataFrame, between: float, within: float) -> Numbers:
    """How much clinics differ, and what that asks of a clinic; ``between`` and ``within`` are variances."""
    phi, tau2 = _overdispersion(compared)
    median = float(np.median(compared["n"].to_numpy()))
    needed = patients_for_reliability(RELIABILITY_TARGET, between, within)
    typical = float(reliability(median, between, within))
    return {
        "phi": phi,
        "tau2": tau2,
        "between_sd": between**0.5,
        "icc": float(reliability(1, between, within)),
        "median_patients": median,
        "median_reliability": typical,
        "patients_needed": needed if np.isfinite(needed) else None,
    }


def _reliability_sentence(needed: float | None, median: float, typical: float) -> str:
    if needed is None:
        return "Clinics vary no more than chance makes them vary: no number of patients would tell them apart."
    return (
        f"A clinic needs about {needed:,.0f} patients for {RELIABILITY_TARGET:.0%} of the variation between "
        "such clinics to be true difference rather than chance; the median clinic has about "
        f"{median:,.0f}, which gives {typical:.0%}."
    )


def _pairs_sentence(pairs: int, apart: int) -> str:
    if apart == 0:
        return f"No two clinics can be told apart ({pairs:,} pairs compared)."
    return f"{apart:,} of {pairs:,} pairs of clinics can be told apart; at most about 5% of these are chance."


def _shrunken(compared: pl.DataFrame) -> pl.DataFrame:
    keys = compared.select(*CLINIC)
    reason = _reason(compared, FEWEST_FOR_SHRINKAGE)
    if reason is not None:
        nothing = [pl.lit(None, SHRUNKEN.numbers[name]).alias(name) for name in (*SHRUNKEN_NUMBERS, "differs_from")]
        frame = keys.with_columns(*nothing, clinics=pl.lit(compared.height, pl.Int64), reason=pl.lit(reason))
    else:
        value = compared["value"].to_numpy()
        variance = float(compared["patient_sd"][0]) ** 2 / compared["n"].to_numpy()
        found = shrink(value, variance, random_effects(value, variance))
        best, worst = quarter_probabilities(found.value, found.error)
        bounds = (0.0, 1.0) if compared["is_share"][0] else (-np.inf, np.inf)
        frame = keys.with_columns(
            shrunken=pl.Series(found.value),
            shrunken_low=pl.Series(np.clip(found.low, *bounds)),
            shrunken_high=pl.Series(np.clip(found.high, *bounds)),
            weight=pl.Series(found.weight),
            probability_best_quarter=pl.Series(best),
            probability_worst_quarter=pl.Series(worst),
            differs_from=pl.Series(told_apart(found.value, found.error).sum(axis=1)),
            clinics=pl.lit(compared.height, pl.Int64),
            reason=pl.lit(None, pl.String),
        )
    return frame.select(*CLINIC, *SHRUNKEN_NUMBERS, "clinics", "differs_from", "reason")


def _build(marts: Frames, contract: Contract) -> dict[str, pl.DataFrame]:
    cells = clinic_cells(marts["marts.recovery_cube"], marts["marts.pain_cube"], contract)
    return {
        "clinic_funnel": clinic_funnel(cells),
        "clinic_shrunken": clinic_shrunken(cells),
        "clinic_spread": clinic_spread(cells),
        "funnel_line": funnel_line(cells),
    }


TOPIC = Topic(
    reads=("marts.recovery_cube", "marts.pain_cube"),
    tables={
        "clinic_funnel": "Clinics beside the range expected for their size, by chance and with the usual variation",
        "clinic_shrunken": "Clinics' own values and those pulled towards the network, with intervals",
        "clinic_spread": "How much clinics differ beyond chance, and how many patients it takes to see it",
        "funnel_line": "Lines to draw the funnels with, by chance and with the usual variation",
    },
    build=_build,
    layouts={
        "clinic_funnel": FUNNEL,
        "clinic_shrunken": SHRUNKEN,
        "clinic_spread": SPREAD,
        "funnel_line": FUNNEL_LINE,
    },
)
