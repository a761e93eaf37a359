"""Windows, overlaps and suppression, written out by hand."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.localisation.proposals import nms, sliding_windows
from harness.temporal import overlaps

SPANS = st.tuples(st.integers(0, 40), st.integers(1, 40)).map(lambda s: (s[0], s[0] + s[1]))


def by_hand(one, other):
    """Intersection over union as a fraction, from the milliseconds themselves."""
    ms, others = set(range(*one)), set(range(*other))
    return Fraction(len(ms & others), len(ms | others))


@given(st.lists(SPANS, min_size=1, max_size=8), st.lists(SPANS, min_size=1, max_size=8))
def test_overlaps_of_all_pairs_are_counted_milliseconds(ones, others):
    found = overlaps(np.array(ones)[:, None], np.array(others)[None])
    expected = [[by_hand(one, other) for other in others] for one in ones]
    assert found.iou().tolist() == [[float(iou) for iou in row] for row in expected]
    for tenths in (3, 5, 7, 10):
        above = [[iou > Fraction(tenths, 10) for iou in row] for row in expected]
        assert found.above(tenths).tolist() == above


def suppressed(spans, scores, most, tenths):
    """One span after the other, against all that were kept."""
    kept = []
    for at in sorted(range(len(spans)), key=lambda at: (-scores[at], at)):
        if all(by_hand(spans[at], spans[other]) <= Fraction(tenths, 10) for other in kept):
            kept.append(at)
    return kept[:most]


@given(
    st.lists(st.tuples(SPANS, st.sampled_from([0.0, 0.25, 0.5, 1.0])), max_size=14),
    st.integers(1, 6),
    st.sampled_from([0, 3, 5, 10]),
)
def test_suppression_is_the_greedy_rule_with_ties_by_position(rows, most, tenths):
    spans = [span for span, _ in rows]
    scores = [score for _, score in rows]
    array = np.array(spans, np.int64).reshape(-1, 2)
    found = nms(array, np.array(scores, np.float32), most=most, tenths=tenths)
    assert found == suppressed(spans, scores, most, tenths)


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="1 of 2 scores are NaN"):
        nms(np.array([[0, 1], [1, 2]]), np.array([0.5, np.nan]), most=2)


@given(st.integers(1, 100_000), st.integers(1, 5_000))
def test_windows_cover_the_video_at_every_length_and_none_leaves_it(duration, shortest):
    shortest = max(shortest, duration // 40)
    found = sliding_windows(duration, shortest)
    assert found.tolist() == sorted(found.tolist(), key=lambda w: (w[1] - w[0], w[0]))
    assert len({tuple(window) for window in found.tolist()}) == len(found)
    lengths = sorted({end - start for start, end in found.tolist()})
    assert lengths[0] == min(shortest, duration)
    assert lengths[-1] == duration
    for length in lengths:
        starts = [start for start, end in found.tolist() if end - start == length]
        assert starts[0] == 0
        assert starts[-1] + length == duration
        assert all(0 < b - a <= max(1, length // 4) for a, b in pairwise(starts))


def test_lengths_grow_by_half():
    lengths = sorted({end - start for start, end in sliding_windows(10_000, 2000).tolist()})
    assert lengths == [2000, 3000, 4500, 6750, 10_000]
