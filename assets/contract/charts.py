"""What is followed over calendar time, as data: the series of the control charts."""

from __future__ import annotations

from dataclasses import dataclass

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
"""Names of the months, whatever the language of the machine."""


@dataclass(frozen=True, slots=True)
class ChartSeries:
    """One quantity that is charted by period of the first visit.

    ``is_share``: a count of successes among ``counted``, else a mean in ``unit``. ``higher_is_better`` says what a
    signal upwards is: a turn for the better or a concern.
    """

    series_id: str
    label: str
    is_share: bool
    unit: str
    counted: str
    higher_is_better: bool = True


CHART_SERIES = (
    ChartSeries("recovered", "Recovery rate", is_share=True, unit="%", counted="known outcomes"),
    ChartSeries("pain_change", "Fall in pain", is_share=False, unit="points", counted="pairs of scores"),
    ChartSeries("completeness", "Outcomes known", is_share=True, unit="%", counted="closed episodes"),
)
