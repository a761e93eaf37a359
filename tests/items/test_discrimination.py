"""The item-rest correlation against scipy, by hand, and where it is undefined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from harness.items.discrimination import item_rest_correlation


@given(arrays(bool, st.tuples(st.integers(3, 8), st.integers(2, 12))))
def test_it_is_scipys_point_biserial_with_the_other_turns(right):
    found = item_rest_correlation(right)
    for turn in range(right.shape[1]):
        rest = np.delete(right, turn, axis=1).mean(axis=1)
        if len(set(right[:, turn])) == 1 or len(set(np.delete(right, turn, 1).sum(axis=1))) == 1:
            assert np.isnan(found[turn])
        else:
            foreign = stats.pointbiserialr(right[:, turn], rest).statistic
            assert found[turn] == pytest.approx(foreign, abs=1e-9)


def test_by_hand():
    # Rests of the last turn: 0, 1, 2 right; it is right for the weakest alone.
    right = np.array([[0, 0, 1], [1, 0, 0], [1, 1, 0]], dtype=bool)
    assert item_rest_correlation(right)[2] == pytest.approx(-np.sqrt(3) / 2)


@given(arrays(bool, (5, 9)), st.permutations(range(5)), st.permutations(range(9)))
def test_the_order_of_systems_and_turns_does_not_matter(right, systems, turns):
    found, moved = item_rest_correlation(right), item_rest_correlation(right[systems][:, turns])
    assert moved == pytest.approx(found[list(turns)], nan_ok=True)
