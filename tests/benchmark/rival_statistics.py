"""The rival, part 6: intervals from statsmodels, curves from lifelines, one page from Plotly."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from assets.contract import CONTRACT

if TYPE_CHECKING:
    from pathlib import Path

WEEKS = np.arange(0, 169, 7)
KINDS = {"open": 0, "recovered": 1, "left": 2}


def recovery_rates(cube: pd.DataFrame) -> pd.DataFrame:
    """Share of known outcomes that recovered, with Wilson's interval, completeness and the two extremes."""
    from statsmodels.stats.proportion import proportion_confint  # noqa: PLC0415 - its import is timed as a step

    known = cube[cube["known"] > 0]
    low, high = proportion_confint(known["recovered"].astype(float), known["known"].astype(float), method="wilson")
    return known.assign(
        rate=known["recovered"] / known["known"],
        rate_low=low,
        rate_high=high,
        completeness=known["known"] / known["eligible"],
        rate_if_missing_none=known["recovered"] / known["eligible"],
        rate_if_missing_all=(known["recovered"] + known["eligible"] - known["known"]) / known["eligible"],
    )


def responder_rates(cube: pd.DataFrame, responders: str, eligible: str) -> pd.DataFrame:
    """Share of responders with Wilson's interval."""
    from statsmodels.stats.proportion import proportion_confint  # noqa: PLC0415 - as above

    known = cube[cube[eligible] > 0]
    low, high = proportion_confint(known[responders].astype(float), known[eligible].astype(float), method="wilson")
    return known.assign(rate=known[responders] / known[eligible], rate_low=low, rate_high=high)


def mean_changes(cube: pd.DataFrame) -> pd.DataFrame:
    """Mean change in points with Student's interval."""
    from statsmodels.stats.weightstats import _tconfint_generic  # noqa: PLC0415 - as above

    n = cube["pairs"].astype(float)
    mean = cube["change_sum"].astype(float) / n / 1e3
    spread = (cube["change_sum_squares"].astype(float) / 1e6 - n * mean**2).clip(0) / (n - 1).where(n > 1)
    low, high = _tconfint_generic(mean, np.sqrt(spread / n), (n - 1).where(n > 1), 0.05, "two-sided")
    return cube.assign(change_mean=mean, change_low=low, change_high=high)


def curves(events: pd.DataFrame) -> pd.DataFrame:
    """Recovery by week per group: Aalen-Johansen beside leaving and one minus Kaplan-Meier.

    Only the curves over all and by condition have bands: lifelines needs a third of a second for each.
    """
    followed = events[events["event_kind"].isin(list(KINDS))]
    groups = followed.groupby(["condition_id", "clinic_key", "care", "from_day"], dropna=False, sort=False)
    return pd.concat([_curve(rows, *group) for group, rows in groups], ignore_index=True)


def _curve(rows: pd.DataFrame, condition: str | None, clinic: str | None, care: str, from_day: int) -> pd.DataFrame:
    from lifelines import AalenJohansenFitter, KaplanMeierFitter  # noqa: PLC0415 - as above

    day, weight = rows["event_day"].astype(float), rows["episodes"].astype(int)
    kind = rows["event_kind"].map(KINDS).astype(int)
    banded = pd.isna(clinic) and care == "any"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifelines says that it breaks ties by chance
        recovered = AalenJohansenFitter(calculate_variance=banded, seed=1)
        recovered.fit(day, kind, event_of_interest=1, weights=weight)
        in_care = KaplanMeierFitter().fit(day, kind > 0, timeline=WEEKS, weights=weight)
        if_stayed = KaplanMeierFitter().fit(day, kind == 1, timeline=WEEKS, weights=weight)
    share = _at(recovered.cumulative_density_.iloc[:, 0])
    band = recovered.confidence_interval_
    return pd.DataFrame(
        {
            "condition_id": condition,
            "clinic_key": clinic,
            "care": care,
            "from_day": from_day,
            "day": WEEKS,
            "recovered_share": share,
            "recovered_low": _at(band.iloc[:, 0]) if banded else np.nan,
            "recovered_high": _at(band.iloc[:, 1]) if banded else np.nan,
            "left_share": 1 - in_care.survival_function_.iloc[:, 0].to_numpy() - share,
            "km_share": 1 - if_stayed.survival_function_.iloc[:, 0].to_numpy(),
            "at_risk": [int(weight[day > week].sum()) for week in WEEKS],
        }
    ).query("day >= from_day")


def page(rates: pd.DataFrame, curve: pd.DataFrame, path: Path) -> None:
    """One page: recovery rate by condition with its interval, and the curve over all."""
    import plotly.graph_objects as go  # noqa: PLC0415 - as above
    from plotly.subplots import make_subplots  # noqa: PLC0415 - as above

    default = next(definition.definition_id for definition in CONTRACT.definitions if definition.is_default)
    one = rates[
        (rates["definition_id"] == default)
        & rates["condition_id"].notna()
        & rates["clinic_key"].isna()
        & (rates["care"] == "any")
        & (rates["period"] == "all")
    ]
    error = {"array": one["rate_high"] - one["rate"], "arrayminus": one["rate"] - one["rate_low"]}
    everyone = curve[curve["condition_id"].isna() & curve["clinic_key"].isna() & (curve["care"] == "any")]
    figure = make_subplots(rows=1, cols=2, subplot_titles=("Recovered, by condition", "Recovered, by day"))
    figure.add_trace(go.Scatter(x=one["rate"], y=one["condition_id"], error_x=error, mode="markers"), row=1, col=1)
    figure.add_trace(go.Scatter(x=everyone["day"], y=everyone["recovered_share"], line_shape="hv"), row=1, col=2)
    figure.write_html(path, include_plotlyjs=True)


def _at(step: pd.Series) -> np.ndarray:
    """Values of a step function at the weeks; ties were moved apart by less than a hundredth of a day."""
    place = np.searchsorted(step.index.to_numpy(), WEEKS + 0.01, side="right") - 1
    return step.to_numpy()[place]
