"""Log-rank and Gray's test against published values, statsmodels, plain loops and simulation."""

from __future__ import annotations

from dataclasses import replace
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from assets.outcomes.methods.survival import Risk, competing_incidence, risk_table
from assets.outcomes.methods.survival_tests import cause_specific_log_rank, gray

# T3: Freireich 1963; T6: acute myelogenous leukaemia (therneau/survival): (time, event)
SIX_MP = [(t, 1) for t in (6, 6, 6, 7, 10, 13, 16, 22, 23)]
SIX_MP += [(t, 0) for t in (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)]
PLACEBO = [(t, 1) for t in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)]
MAINTAINED = [(t, 1) for t in (9, 13, 18, 23, 31, 34, 48)] + [(t, 0) for t in (13, 28, 45, 161)]
NOT_MAINTAINED = [(t, 1) for t in (5, 5, 8, 8, 12, 23, 27, 30, 33, 43, 45)] + [(16, 0)]
T8 = [(2, 1), (3, 2), (4, 1), (4, 2), (5, 0), (6, 1), (6, 1), (8, 2), (9, 0), (10, 1), (12, 0), (12, 2)]
T8_CIF2_END = 7 / 18

# Follow-up of 177 patients after bone marrow transplantation, in hundredths of a month, by disease and status
# (0 censored, 1 relapse, 2 competing): data set bmtcrr of Scrucca et al. 2010 (Bone Marrow Transplantation 45:1388),
# as in R package casebase. R: cmprsk::cuminc(ftime, Status, D) prints the values of BMTCRR_GRAY.
BMTCRR = {
    ("ALL", 1): """
        110 123 167 170 180 187 200 223 240 253 287 307 357 363 407 423 537 613 753 757 763 793 863 943 1030
        1307 1723 2083""",
    ("ALL", 2): """
        27 37 40 67 87 110 143 147 170 223 270 280 323 330 343 363 417 543 600 603 660 747 750 800 817 1053
        1217 2403""",
    ("ALL", 0): """
        1613 1683 1990 2477 2920 3550 4367 4530 5660 7183 7293 8260 11223 12110 12390 12483 13177""",
    ("AML", 1): """
        120 130 160 187 203 230 253 303 420 473 500 560 563 570 587 600 607 620 663 700 763 913 950 1227
        1257 2853 3500 4217""",
    ("AML", 2): """
        13 87 100 123 147 177 197 200 230 280 283 317 340 347 350 357 357 360 370 390 393 440 440 457 457
        480 523 527 610 630 633 670 720 720 763 860 873 880 900 917 920 963 997 1090 1180 1380 2093""",
    ("AML", 0): """
        997 1020 1450 1517 1660 2613 2870 2990 3263 3550 4130 4250 4320 4927 5800 5823 5917 6780 6883 7020
        7603 7700 8167 8510 10613 11037 11293 11410 11470""",
}

BMTCRR_GRAY = {1: (2.8623325, 0.09067592), 2: (0.4481279, 0.50322531)}

COUNTS = npst.arrays(np.int64, (3, 3, 8), elements=st.integers(0, 3))


def risk_of(*groups: list[tuple[int, int]]) -> Risk:
    table = np.zeros((len(groups), 3, max(t for group in groups for t, _ in group) + 1), dtype=np.int64)
    for position, group in enumerate(groups):
        for time, cause in group:
            table[position, cause, time] += 1
    return risk_table(table[:, 1], table[:, 2], table[:, 0], np.zeros(len(groups)))


def swapped(risk: Risk) -> Risk:
    return replace(risk, event=risk.competing, competing=risk.event)


def transplanted() -> Risk:
    return risk_of(
        *([(int(t), cause) for cause in (0, 1, 2) for t in BMTCRR[name, cause].split()] for name in ("ALL", "AML"))
    )


def test_t3_log_rank() -> None:
    found = cause_specific_log_rank(risk_of(SIX_MP, PLACEBO))
    assert found.observed.tolist() == [9, 21]
    np.testing.assert_allclose(found.expected, [19.250501, 10.749499], atol=5e-7)
    assert found.covariance[0, 0] == pytest.approx(6.256961, abs=5e-7)
    assert (float(found.chi2), float(found.p)) == (pytest.approx(16.792941, abs=5e-7), pytest.approx(4.16881e-5))
    assert found.degrees == 1


def test_t6_log_rank() -> None:
    found = cause_specific_log_rank(risk_of(MAINTAINED, NOT_MAINTAINED))
    assert (found.observed[0], found.expected[0]) == (7, pytest.approx(10.689336, abs=5e-7))
    assert (float(found.chi2), float(found.p)) == (
        pytest.approx(3.396389, abs=5e-7),
        pytest.approx(0.065339, abs=5e-7),
    )


def test_published_gray_test() -> None:
    risk = transplanted()
    assert risk.entering[:, 0].tolist() == [73, 104]
    for cause, counts in ((1, risk), (2, swapped(risk))):
        found = gray(counts)
        chi2, p = BMTCRR_GRAY[cause]
        assert (float(found.chi2), float(found.p)) == (pytest.approx(chi2, abs=5e-8), pytest.approx(p, abs=5e-8))
        assert found.degrees == 1


def test_log_rank_of_four_groups_equals_statsmodels_on_single_patients() -> None:
    from statsmodels.duration.survfunc import survdiff  # noqa: PLC0415 - over a second to import

    rng = np.random.default_rng(3)
    times, causes, names = rng.integers(1, 15, 200), rng.choice(3, 200), rng.choice(4, 200)
    groups = [
        [(int(t), int(c)) for t, c, g in zip(times, causes, names, strict=True) if g == name] for name in range(4)
    ]
    found = cause_specific_log_rank(risk_of(*groups))
    chi2, p = survdiff(times, causes == 1, names)
    assert found.degrees == 3
    assert (found.chi2, found.p) == (pytest.approx(chi2), pytest.approx(p))


def gray_in_loops(risk: Risk) -> tuple[np.ndarray, np.ndarray]:
    """Score and covariance term by term, in the order of the paper; k runs over groups that still have patients."""
    groups, times = risk.entering.shape
    free, incidence = np.ones(groups), np.zeros(groups)
    pooled, score = 0.0, np.zeros(groups)
    c, terms = np.zeros((groups, groups)), []
    for t in range(times):
        n, d1, d2 = (part[:, t].tolist() for part in (risk.entering, risk.event, risk.competing))
        there = [k for k in range(groups) if n[k]]
        if sum(d1) + sum(d2) == 0:
            continue
        h = [n[k] / free[k] if n[k] else 0.0 for k in range(groups)]
        r = [h[k] * (1 - incidence[k]) for k in range(groups)]
        a = np.zeros((groups, groups))
        for g in there:
            score[g] += d1[g] - sum(d1) * r[g] / sum(r)
            for k in there:
                a[g, k] = h[g] * ((g == k) - h[k] / sum(h))
        before, step = free.copy(), sum(d1) / sum(h)
        c = c + (a * step / (1 - pooled) if step else 0.0)
        pooled += step
        for k in there:
            incidence[k] += before[k] * d1[k] / n[k]
            free[k] = before[k] * (n[k] - d1[k] - d2[k]) / n[k]
        for k in there:
            w = (1 - pooled) / free[k] if free[k] > 0 else 0.0
            if sum(d1):
                tie = 1 - (sum(d1) - 1) / (sum(h) * before[k] - 1) if sum(d1) > 1 else 1.0
                terms.append((a[:, k], 1 - w, k, c[:, k].copy(), tie * before[k] * step / n[k]))
            if d2[k] and free[k] > 0:
                tie = 1 - (d2[k] - 1) / (n[k] - 1) if d2[k] > 1 else 1.0
                terms.append((np.zeros(groups), w, k, c[:, k].copy(), tie * before[k] ** 2 * d2[k] / n[k] ** 2))
    covariance = np.zeros((groups, groups))
    for own, weight, k, so_far, size in terms:
        influence = own + weight * (c[:, k] - so_far)
        covariance += size * np.outer(influence, influence)
    return score, covariance


@given(COUNTS, npst.arrays(np.int64, 3, elements=st.integers(1, 6)))
def test_gray_equals_plain_loops(counts: np.ndarray, beyond: np.ndarray) -> None:
    risk = risk_table(counts[0], counts[1], counts[2], beyond)
    found, (score, covariance) = gray(risk), gray_in_loops(risk)
    np.testing.assert_allclose(found.score, score, atol=1e-9)
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-8)
    assert found.score.sum() == pytest.approx(0, abs=1e-9)


def test_two_of_three_groups_used_give_the_usual_quadratic_form() -> None:
    rng = np.random.default_rng(9)
    risk = risk_table(*rng.integers(0, 4, (3, 3, 20)), rng.integers(5, 9, 3))
    for test in (gray, cause_specific_log_rank):
        found = test(risk)
        by_hand = found.score[:2] @ np.linalg.solve(found.covariance[:2, :2], found.score[:2])
        assert (found.chi2, found.degrees) == (pytest.approx(by_hand), 2)


@given(npst.arrays(np.int64, (2, 2, 10), elements=st.integers(0, 3)), st.integers(1, 5))
def test_without_a_competing_event_the_score_of_gray_is_that_of_the_log_rank(counts: np.ndarray, beyond: int) -> None:
    risk = risk_table(counts[0], np.zeros((2, 10)), counts[1], [beyond, beyond])
    np.testing.assert_allclose(gray(risk).score, cause_specific_log_rank(risk).score, atol=1e-9)


def test_without_a_competing_event_the_two_tests_agree_closely() -> None:
    first, second = (test(risk_of(SIX_MP, PLACEBO)) for test in (gray, cause_specific_log_rank))
    assert float(first.chi2) == pytest.approx(float(second.chi2), rel=0.01)


def simulated(groups: int, size: int, seed: int, leaving: tuple[float, float], events: tuple[float, float]) -> Risk:
    """``groups`` comparisons of two groups of ``size``; arrays (comparisons, 2, days)."""
    rng = np.random.default_rng(seed)
    table = np.zeros((groups, 2, 3, 62), dtype=np.int64)
    for arm in (0, 1):
        event, leave, stop = (
            rng.geometric(p, (groups, size)) for p in (events[arm], leaving[arm], 0.004 if arm else 0.012)
        )
        time = np.minimum(np.minimum(event, leave), np.minimum(stop, 61))
        kind = np.where(event == time, 0, np.where(leave == time, 1, 2))
        np.add.at(table, (np.broadcast_to(np.arange(groups)[:, None], time.shape), arm, kind, time), 1)
    flat = table.reshape(groups * 2, 3, 62)
    risk = risk_table(flat[:, 0], flat[:, 1], flat[:, 2], np.zeros(groups * 2))
    parts = (part.reshape(groups, 2, 62) for part in (risk.entering, risk.event, risk.competing, risk.censored))
    return Risk(*parts)


def test_size_is_five_percent_when_nothing_differs_but_censoring() -> None:
    # 4,000 comparisons of 60 against 60; standard error of a size of 5%: 0.34 points
    risk = simulated(4_000, 60, 1, leaving=(0.01, 0.01), events=(0.02, 0.02))
    for test in (gray, cause_specific_log_rank):
        assert 0.04 < (test(risk).p < 0.05).mean() < 0.06


def test_the_two_tests_ask_different_questions() -> None:
    # The same hazard of the event, but one group leaves far more: incidence differs, the hazard does not
    risk = simulated(400, 200, 2, leaving=(0.002, 0.06), events=(0.02, 0.02))
    assert (gray(risk).p < 0.05).mean() > 0.95
    assert (cause_specific_log_rank(risk).p < 0.05).mean() < 0.09


def test_comparisons_do_not_touch_each_other() -> None:
    risk = simulated(5, 40, 4, leaving=(0.01, 0.02), events=(0.02, 0.03))
    for test in (gray, cause_specific_log_rank):
        together = test(risk)
        for row in range(5):
            alone = test(Risk(*(part[row] for part in (risk.entering, risk.event, risk.competing, risk.censored))))
            assert alone.chi2 == pytest.approx(together.chi2[row], rel=1e-9)


def test_order_of_groups_does_not_matter() -> None:
    first, second = gray(risk_of(SIX_MP, PLACEBO, T8)), gray(risk_of(T8, PLACEBO, SIX_MP))
    assert first.chi2 == pytest.approx(float(second.chi2))


def test_no_events_no_test() -> None:
    for test in (gray, cause_specific_log_rank):
        found = test(risk_of([(5, 0)] * 12, [(7, 2)] * 12))
        assert np.isnan([found.chi2, found.p]).all()
        assert found.degrees == 0
        everyone = test(risk_of([(5, 1)] * 12, [(5, 1)] * 12))
        assert np.isnan(everyone.p) or everyone.p > 0.99
        assert test(Risk(*np.zeros((4, 0, 2, 9), dtype=np.int64))).p.shape == (0,)


def test_lifelines_moves_ties_at_random_and_we_do_not() -> None:
    from lifelines import AalenJohansenFitter  # noqa: PLC0415 - over a second to import

    # On day 12 one is censored and one has event 2: who goes first decides whether one of two or one of one has it
    times, causes = (np.array(column) for column in zip(*T8, strict=True))
    ends = []
    for seed in range(6):
        fitter = AalenJohansenFitter(seed=seed, calculate_variance=False)
        with pytest.warns(Warning, match="Tied event times"):
            fitter.fit(times, causes, event_of_interest=2)
        ends.append(round(float(fitter.cumulative_density_.iloc[-1, 0]), 9))
    assert len(set(ends)) == 2
    assert max(ends) - T8_CIF2_END == pytest.approx(8 / 63)
    assert competing_incidence(risk_of(T8))[0, -1] == pytest.approx(T8_CIF2_END, abs=1e-14)


def test_fifty_pairs_are_fast() -> None:
    risk = simulated(50, 100, 5, leaving=(0.01, 0.02), events=(0.02, 0.03))
    gray(risk)
    started = process_time()
    gray(risk)
    cause_specific_log_rank(risk)
    assert process_time() - started < 0.3
