"""Between what a number can lie, and which estimate a lower limit belongs to."""

from __future__ import annotations

ESTIMATES = {
    "low": ("unshrunken", "observed", "difference"),
    "adjusted_low": ("adjusted_difference",),
    "change_low": ("change_mean",),
    "km_low": ("km_share",),
    "mcid_low": ("mcid_rate",),
    "mean_low": ("mean",),
    "median_low": ("median_day",),
    "rate_low": ("rate", "rate_per_100"),
    "recovered_low": ("recovered_share",),
    "recovered_low_28": ("recovered_share_28",),
    "recovered_low_56": ("recovered_share_56",),
    "recovered_low_84": ("recovered_share_84",),
    "share_low": ("share",),
    "unadjusted_low": ("unadjusted_difference",),
    "weighted_low": ("weighted_rate",),
}
"""Lower limit -> its estimate, where that is not called like it."""

Bounds = tuple[float | None, float | None]
"""Lowest and highest; None where there is no such limit."""
SHARE: Bounds = (0, 1)
CORRELATION: Bounds = (-1, 1)
NOT_NEGATIVE: Bounds = (0, None)
PAIN: Bounds = (0, 10)
PAIN_CHANGE: Bounds = (-10, 10)
PERCENT: Bounds = (0, 100)


def _all(bounds: Bounds, *names: str) -> dict[str, Bounds]:
    return dict.fromkeys(names, bounds)


BOUNDS: dict[str, dict[str, Bounds]] = {
    "adverse_event_rate": {
        **_all(SHARE, "event_share_low", "event_share_high", "zero_upper_share"),
        **_all(NOT_NEGATIVE, "rate_per_100", "rate_low"),
    },
    "care_comparison": {
        **_all(SHARE, "unknown_treated", "unknown_control", "p_value", "q_value", "equipoise"),
        **_all(NOT_NEGATIVE, "effective_treated", "effective_control", "max_smd_before", "max_smd_after", "ratio_low"),
    },
    "case_mix_coefficient": _all(NOT_NEGATIVE, "error"),
    "case_mix_model": {**_all(SHARE, "auc", "auc_cv", "clinic_share"), **_all(NOT_NEGATIVE, "clinic_sd")},
    "clinic_shrunken": _all(SHARE, "weight", "probability_best_quarter", "probability_worst_quarter"),
    "clinic_spread": {**_all(SHARE, "chance_p", "icc"), **_all(NOT_NEGATIVE, "phi", "tau2", "between_sd")},
    "completion": _all(SHARE, "rate_low", "rate_high"),
    "completion_sensitivity": _all(SHARE, "rate_low", "rate_high", "rate_if_missing_all", "weighted_rate"),
    "definition_sensitivity": _all(SHARE, "rate_low", "rate_high", "network_rate"),
    "measure_summary": _all(NOT_NEGATIVE, "baseline_sd", "value_sd", "change_sd"),
    "pain_change": {
        **_all(PAIN, "baseline_mean", "last_mean"),
        **_all(PAIN_CHANGE, "change_mean"),
        **_all(SHARE, "mcid_low", "mcid_high"),
    },
    "recovery_by_condition": _all(SHARE, "rate_low", "rate_high", "rate_if_missing_all"),
    "recovery_curve": _all(SHARE, "recovered_share", "left_share", "km_share", "recovered_low", "recovered_high"),
    "recovery_time": {
        **_all(SHARE, "left_share_84", "share_if_no_leaver_recovered", "share_if_all_leavers_recovered"),
        **_all(NOT_NEGATIVE, "median_day", "days_recovered", "days_recovered_error", "days_per_visit"),
    },
    "recovery_time_test": {**_all(SHARE, "p", "q"), **_all(NOT_NEGATIVE, "chi2")},
    "regression_to_mean": {**_all(CORRELATION, "retest_correlation"), **_all(NOT_NEGATIVE, "baseline_sd")},
    "response": _all(SHARE, "rate_low", "rate_high"),
    "response_band": _all(SHARE, "share_low", "share_high"),
    "rom_change": _all(PERCENT, "baseline_percent", "last_percent"),
    "subgroup_outcome": {**_all(SHARE, "rate_low", "rate_high", "rate_if_missing_all"), **_all(PAIN, "baseline_mean")},
    "trajectory_model": {
        **_all(CORRELATION, "correlation"),
        **_all(NOT_NEGATIVE, "sd_intercept", "sd_slope", "sd_residual"),
    },
    "trial_effect": {**_all(SHARE, "p_value"), **_all(NOT_NEGATIVE, "standard_error")},
    "twitch_outcome": {**_all(SHARE, "mcid_low", "mcid_high"), **_all(PAIN, "baseline_mean")},
}
"""By table and column. Shares that are one count over another have a check of their own."""
