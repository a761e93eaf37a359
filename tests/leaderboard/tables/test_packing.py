"""Packed differences: what is read is what was written, rounded as it is shown."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.tables.packing import WIDTH, Shown, against_first, pack, unpack

SIDE = st.one_of(st.just(math.nan), st.floats(-1, 1))
ROW = st.tuples(st.floats(-1, 1), SIDE, SIDE, SIDE, st.floats(1e-4, 1))


@given(st.lists(ROW, min_size=3, max_size=3), st.sampled_from(["share", "turns"]))
def test_three_systems_have_three_pairs_in_order_each_rounded_to_what_is_shown(rows, unit):
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    packed = pack("abc", Shown(*columns[:4]), columns[4], unit)
    assert len(packed.packed) == 3 * WIDTH
    places = 3 if unit == "share" else 2
    for shown, true, digits in zip(unpack(packed), columns, (places,) * 3 + (2,), strict=False):
        assert np.isnan(shown).tolist() == np.isnan(true).tolist()
        assert (np.abs(shown - true)[~np.isnan(true)] <= 0.5001 / 10**digits).all()
    pairs = against_first(packed)
    assert [(pair.first, pair.second) for pair in pairs] == [("a", "b"), ("a", "c")]
    for pair, (value, low, _, effect, p) in zip(pairs, rows, strict=False):
        assert pair.value == pytest.approx(value, abs=0.0051)
        assert (pair.low is None, pair.effect is None) == (math.isnan(low), math.isnan(effect))
        assert -1e-9 <= pair.p - p <= 1e-4 + 1e-9


def test_what_is_not_significant_does_not_become_so_by_rounding():
    zero = np.zeros(1)
    for p, significant in ((500 / 10_001, True), (0.05, True), (501 / 10_001, False)):
        packed = pack("ab", Shown(zero, zero, zero, zero), [p], "share")
        (pair,) = against_first(packed)
        assert (pair.p <= 0.05) is significant


def test_numbers_past_the_range_end_at_its_end():
    far = np.array([1e9])
    packed = pack("ab", Shown(far, -far, far, far), [1.0], "share")
    (pair,) = against_first(packed)
    assert (pair.value, pair.low, pair.effect) == (2.047, -2.047, 20.47)
