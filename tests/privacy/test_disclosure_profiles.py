"""How a count and a share are printed for each audience."""

from __future__ import annotations

import numpy as np
import pytest

from assets.privacy.disclosure import MINIMUM_GROUP
from assets.privacy.disclosure.profiles import (
    INTERNAL,
    PUBLIC,
    ShareRule,
    approximate_share,
    behind,
    is_small,
    policy_shows,
    rounded_count,
    share_rule,
)

PARTS = [0, 5, 11, 30, 40, 0, 11, 12]
SIZES = [40, 40, 40, 40, 40, 8, 22, 21]


def test_threshold_is_the_policy() -> None:
    assert MINIMUM_GROUP == 11
    assert is_small([0, 1, 10, 11]).tolist() == [False, True, True, False]


def test_shares_that_the_policy_shows() -> None:
    assert policy_shows(PARTS, SIZES).tolist() == [True, False] * 4


def test_public_shares_are_exact_where_both_parts_are_large_and_tell_nobody_s_result() -> None:
    exact, near, hidden = ShareRule.EXACT, ShareRule.APPROXIMATE, ShareRule.HIDDEN
    expected = [near, near, exact, near, near, hidden, exact, near]
    assert share_rule(PARTS, SIZES, PUBLIC).tolist() == expected
    assert share_rule([9], [18], PUBLIC).tolist() == [hidden]


def test_internal_shares_are_exact_from_eleven_on_even_of_nobody_and_everybody() -> None:
    rules = share_rule([0, 0, 11, 3, 3], [10, 11, 11, 11, 10], INTERNAL).tolist()
    assert rules == [ShareRule.HIDDEN, ShareRule.EXACT, ShareRule.EXACT, ShareRule.EXACT, ShareRule.HIDDEN]


def test_a_small_part_cannot_be_told_from_none() -> None:
    shares = approximate_share(range(11), [42] * 11)
    assert set(shares.tolist()) == {0.125}
    assert set(approximate_share(range(32, 43), [42] * 11).tolist()) == {0.875}


def test_counts_are_printed_as_multiples_of_five_and_never_below_eleven() -> None:
    printed = rounded_count(np.arange(3000))
    assert printed[:24].tolist() == [0] + [-1] * 10 + [15] * 7 + [20] * 5 + [25]
    assert set(printed[printed >= 0] % 5) == {0}
    assert not ((printed > 0) & (printed < MINIMUM_GROUP)).any()


@pytest.mark.parametrize("size", [0, 1, 10, 11, 12, 13, 17, 18, 22, 23, 4999])
def test_what_is_behind_a_printed_count_is_what_is_printed_so(size: int) -> None:
    printed = rounded_count([size])
    low, high = behind(printed)
    around = np.arange(max(0, size - 12), size + 13)
    assert around[rounded_count(around) == printed].tolist() == list(range(low[0], high[0] + 1))
