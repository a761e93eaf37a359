"""Packed differences: what is read is what was written, rounded as it is shown."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.statistics import Differences
from leaderboard.packing import WIDTH, pack, unpack

SIDE = st.one_of(st.just(math.nan), st.floats(-1, 1))
ROW = st.tuples(st.floats(-1, 1), SIDE, SIDE, SIDE, st.floats(1e-4, 1))


@given(st.lists(ROW, min_size=3, max_size=3), st.sampled_from(["share", "turns"]))
def test_three_systems_have_three_pairs_in_order_each_rounded_to_what_is_shown(rows, unit):
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    packed = pack("abc", Differences(*columns[:4]), columns[4], unit)
    assert len(packed.packed) == 3 * WIDTH
    found = list(unpack(packed))
    assert [(pair.first, pair.second) for pair in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    places = 3 if unit == "share" else 2
    for pair, (value, low, high, effect, p) in zip(found, rows, strict=True):
        for shown, true, digits in (
            (pair.value, value, places),
            (pair.low, low, places),
            (pair.high, high, places),
            (pair.effect, effect, 2),
        ):
            assert shown is None if math.isnan(true) else abs(shown - true) <= 0.5001 / 10**digits
        assert 0 <= pair.p - p <= 1e-4 + 1e-9 or pair.p == pytest.approx(p)


def test_what_is_not_significant_does_not_become_so_by_rounding():
    zero = np.zeros(1)
    for p, significant in ((500 / 10_001, True), (0.05, True), (501 / 10_001, False)):
        packed = pack("ab", Differences(zero, zero, zero, zero), [p], "share")
        (pair,) = unpack(packed)
        assert (pair.p <= 0.05) is significant


def test_numbers_past_the_range_end_at_its_end():
    far = np.array([1e9])
    packed = pack("ab", Differences(far, -far, far, far), [1.0], "share")
    (pair,) = unpack(packed)
    assert (pair.value, pair.low, pair.effect) == (2.047, -2.047, 20.47)
