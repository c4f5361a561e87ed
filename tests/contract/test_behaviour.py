"""Limits of habits: chance alone reports nobody, a clear habit is reported as soon as a group is large enough."""

from __future__ import annotations

import pytest
from scipy.stats import binom

from assets.contract import CONTRACT
from assets.contract.behaviour import BEHAVIOURS, SMALLEST_GROUP, STANDARD_ERRORS
from assets.contract.checks import Kind, release_checks
from assets.contract.model import Severity

LIMITS = {habit.name: habit.limit_percent for habit in BEHAVIOURS}
HONEST = {  # the share that honest data show, at the most
    "varies_within_clinic": 0.26,
    "changes_by_discharge": 0.15,
    "differs_between_sides": 0.20,
    "no_heaping_at_5": 0.20,
    "no_heaping_at_10": 0.10,
    "no_pile_at_mcid": 1 / 3,
    "kept_within_clinic": 0.02,
    "spread_over_day": 1 / 9,
}


def least_flagged(n: int, limit_percent: int) -> int:
    """The smallest count of ``n`` that is flagged, by the formula of audit.behaviour."""

    def flagged(shown: int) -> bool:
        excess = 100 * shown - limit_percent * n
        return excess > 0 and excess**2 > STANDARD_ERRORS**2 * n * limit_percent * (100 - limit_percent)

    return next((shown for shown in range(n + 1) if flagged(shown)), n + 1)


@pytest.mark.parametrize(("name", "share"), HONEST.items())
def test_chance_alone_reports_nobody(name: str, share: float) -> None:
    alarms = [binom.sf(least_flagged(n, LIMITS[name]) - 1, n, share) for n in range(SMALLEST_GROUP, 2000, 7)]
    assert max(alarms) < 1e-4


@pytest.mark.parametrize(("name", "share"), HONEST.items())
def test_a_habit_of_nine_in_ten_is_reported_from_sixty_cases_on(name: str, share: float) -> None:
    shown = 0.9 + 0.1 * share
    found = [1 - binom.cdf(least_flagged(n, LIMITS[name]) - 1, n, shown) for n in range(60, 2000, 7)]
    assert min(found) > 0.95


def test_every_habit_is_a_warning_with_its_limit_in_words() -> None:
    checks = {check.check_id: check for check in release_checks(CONTRACT) if check.kind is Kind.BEHAVIOUR}
    assert set(checks) == {habit.check_id for habit in BEHAVIOURS}
    for habit in BEHAVIOURS:
        check = checks[habit.check_id]
        assert (check.severity, check.tolerance, check.blocks) == (Severity.WARNING, 0.0, False)
        assert f"{habit.limit_percent}%" in check.sentence or habit.limit_percent == 0
