"""Published frame of adjusted gains: providers beside what the source's own case-mix model predicted.

The rule is that of NHS England for PROMs. A prediction is no outcome of its own; here it only adjusts one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assets.contract.definitions import ADJUSTED_GAIN_MINIMUM
from assets.outcomes.frames import BOOLEAN, FLOAT, INTEGER, STRING, Count, Layout, columns
from assets.outcomes.methods.funnel import ACTION_LEVEL, WARNING_LEVEL, mean_limits, zone
from assets.outcomes.methods.means import deviation, mean
from assets.outcomes.topic import Topic

if TYPE_CHECKING:
    from assets.contract.model import Contract
    from assets.outcomes.topic import Frames

TOO_FEW_RECORDS, NO_VARIATION = "too_few_records", "no_variation"
REASONS = (TOO_FEW_RECORDS, NO_VARIATION)

GROUP = {**columns(STRING, "measure_id"), **columns(INTEGER, "planned_day"), **columns(STRING, "earlier_operations")}
ADJUSTED = ("adjusted_gain", "z", "low_95", "high_95", "low_998", "high_998")
GAIN = Layout(
    {**GROUP, **columns(STRING, "clinic_key")},
    {
        **columns(INTEGER, "n", "network_n"),
        **columns(FLOAT, "baseline_mean", "value_mean", "predicted_mean", "gain_mean", "network_gain"),
        **columns(BOOLEAN, "is_published_network_gain"),
        **columns(FLOAT, *ADJUSTED),
        **columns(STRING, "zone", "not_adjusted"),
    },
    groups=("n", "network_n"),
    statistic="provider_gain",
    counts={"n": Count("predicted"), "network_n": Count("predicted", at={"clinic_key": None})},
)


def provider_gain(predicted_gain: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Adjusted gain of each provider with its funnel, in the unit of the measure (positive = better).

    adjusted gain = mean residual - mean residual of all + mean gain of all, with residual = score - predicted score.
    z = (adjusted gain - mean gain of all) / (SD of residuals of all / sqrt(n)): the SD of the network, never the
    provider's, and of residuals, not of gains (hips 2017-18: 7.71, not 9.81; only that gives the published labels).
    Limits and zone at 95% and 99.8% (1.96 and 3.09). The mean gain of all is the one that the source publishes where
    the profile states it (``is_published_network_gain``): it cancels out of z and zone.

    Raises:
        ValueError: sums that are missing or impossible.

    """
    sums = predicted_gain.sort(*GROUP, "clinic_key")
    n = sums["n"]
    means = sums.with_columns(
        baseline_mean=pl.Series(mean(sums["baseline_sum"], n)),
        value_mean=pl.Series(mean(sums["value_sum"], n)),
        predicted_mean=pl.Series(mean(sums["predicted_sum"], n)),
        gain_mean=pl.Series(mean(sums["gain_sum"], n)),
        residual=pl.Series(mean(sums["residual_sum"], n)),
        sd=pl.Series(deviation(sums["residual_sum"], sums["residual_sum_squares"], n)),
    )
    network = means.filter(pl.col("clinic_key").is_null()).select(
        *GROUP, network_n="n", network_mean="gain_mean", network_residual="residual", network_sd="sd"
    )
    providers = (
        means.filter(pl.col("clinic_key").is_not_null())
        .join(network, on=list(GROUP), how="left", nulls_equal=True, maintain_order="left")
        .join(_published(contract), on=["measure_id", "earlier_operations"], how="left", maintain_order="left")
        .with_columns(
            network_gain=pl.coalesce("published_gain", "network_mean"),
            is_published_network_gain=pl.col("published_gain").is_not_null(),
            not_adjusted=pl.when(pl.col("n") < ADJUSTED_GAIN_MINIMUM)
            .then(pl.lit(TOO_FEW_RECORDS))
            .when(~(pl.col("network_sd") > 0))
            .then(pl.lit(NO_VARIATION)),
        )
    )
    adjusted = _adjusted(providers.filter(pl.col("not_adjusted").is_null()))
    return GAIN.arrange(providers.join(adjusted, on=[*GROUP, "clinic_key"], how="left", nulls_equal=True))


def _adjusted(providers: pl.DataFrame) -> pl.DataFrame:
    gain = providers["residual"] - providers["network_residual"] + providers["network_gain"]
    limits = [
        mean_limits(
            providers["n"].to_numpy(), providers["network_gain"].to_numpy(), providers["network_sd"].to_numpy(), level
        )
        for level in (WARNING_LEVEL, ACTION_LEVEL)
    ]
    (low_95, high_95), (low_998, high_998) = limits
    error = providers["network_sd"] / providers["n"].cast(pl.Float64).sqrt()
    return providers.select(*GROUP, "clinic_key").with_columns(
        adjusted_gain=gain,
        z=(gain - providers["network_gain"]) / error,
        low_95=pl.Series(low_95),
        high_95=pl.Series(high_95),
        low_998=pl.Series(low_998),
        high_998=pl.Series(high_998),
        zone=pl.Series(zone(gain.to_numpy(), *limits), dtype=pl.String),
    )


def _published(contract: Contract) -> pl.DataFrame:
    """Mean gains that sources publish, by the measure that is predicted."""
    rows = [
        (measure.predicts, operations, float(gain))
        for measure in contract.measures
        for operations, gain in measure.gain_of_all
    ]
    schema = {"measure_id": STRING, "earlier_operations": STRING, "published_gain": FLOAT}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _build(marts: Frames, contract: Contract) -> dict[str, pl.DataFrame]:
    return {"provider_gain": provider_gain(marts["marts.predicted_gain"], contract)}


TOPIC = Topic(
    reads=("marts.predicted_gain",),
    tables={"provider_gain": "Gains of providers, adjusted by the source's own prediction, with limits"},
    build=_build,
    layouts={
        "provider_gain": GAIN,
    },
)
