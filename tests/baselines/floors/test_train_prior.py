"""The most frequent relative spans, against counting by hand and exact fractions."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.base import MissingInputError
from baselines.floors.train_prior import GRID, Moments, frequent_spans
from harness.records import Moment
from tests.baselines.conftest import CAT, SAMPLES, VIDEOS


def columns(rows):
    return Moments(*np.array(rows, dtype=np.int64).T)


def test_moments_at_the_same_place_of_their_videos_give_that_place():
    assert frequent_spans(columns([(2_000, 7_000, 10_000), (20_000, 70_000, 100_000)])) == [(4, 14)]


def iou(span, row):
    """IoU of a span in twentieths and a moment of a video, as an exact fraction."""
    start, end, duration = row
    low, high = Fraction(span[0], GRID) * duration, Fraction(span[1], GRID) * duration
    both = max(0, min(high, end) - max(low, start))
    return both / (high - low + end - start - both)


moments = st.integers(1, 60).flatmap(
    lambda duration: st.tuples(st.integers(0, duration - 1), st.integers(1, duration)).map(
        lambda ends: (min(ends), max(*ends, min(ends) + 1), duration)
    )
)


@given(st.lists(moments, min_size=1, max_size=8))
@settings(max_examples=30)
def test_spans_are_the_greedy_cover_in_exact_fractions(rows):
    spans, left, expected = list(combinations(range(GRID + 1), 2)), list(rows), []
    while left and len(expected) < 5:
        table = {span: [iou(span, row) for row in left] for span in spans}
        met = {span: sum(one >= Fraction(1, 2) for one in table[span]) for span in spans}
        total = {span: sum(one * 10**6 // 1 for one in table[span]) for span in spans}
        best = max(spans, key=lambda s: (met[s], total[s], -s[0], -s[1]))
        if not met[best]:
            break
        expected.append(best)
        left = [row for row in left if iou(best, row) < Fraction(1, 2)]
    assert frequent_spans(columns(rows)) == expected


def test_answers_are_the_same_relative_spans_of_the_given_video(toy, said):
    # Train moments: 1-6 of 10 s, 2-11 of 20 s, 30-40 of 40 s. In twentieths (2, 12), (2, 11) and
    # (15, 20): the first two are each 0.9 of the other and tie, the shorter goes first.
    first, _, _ = said("train_prior", toy, "reference")
    assert first[1].moments == (Moment(CAT, 1_000, 5_500), Moment(CAT, 7_500, 10_000))


def test_without_train_split_the_error_says_so(make, said):
    test_alone = make([sample for sample in SAMPLES if sample["split"] == "test"])
    with pytest.raises(
        MissingInputError, match="no train split with labels, which train_prior needs"
    ):
        said("train_prior", test_alone)


def test_without_durations_the_error_says_so(make, said):
    bare = make(videos={video: (None, text) for video, (_, text) in VIDEOS.items()})
    with pytest.raises(MissingInputError, match="import the train split with --videos META"):
        said("train_prior", bare)
