"""Temporal IoU against its long-hand definition on an exact grid, and exact at thresholds."""

import numpy as np
import pytest

from harness.records import Gold, Moment, Prediction, Span
from harness.temporal import DEPTH, IOU_TENTHS, moment_overlaps, overlaps, reaches

GRID = [(start, end) for start in range(8) for end in range(start + 1, 9)]
SPANS = np.array(GRID)


def cells(span):
    """The unit cells of a span on the grid: the long-hand set."""
    return set(range(*span))


def test_all_pairs_of_a_grid_equal_counting_cells():
    found = overlaps(SPANS[:, None], SPANS[None])
    assert found.intersection.tolist() == [[len(cells(a) & cells(b)) for b in GRID] for a in GRID]
    expected = [[len(cells(a) | cells(b)) for b in GRID] for a in GRID]
    assert found.union.tolist() == expected
    shares = [[len(cells(a) & cells(b)) / len(cells(a) | cells(b)) for b in GRID] for a in GRID]
    assert found.iou().tolist() == shares


def test_spans_apart_have_a_union_without_the_gap():
    found = overlaps(np.array([0, 10]), np.array([90, 100]))
    assert (int(found.intersection), int(found.union), float(found.iou())) == (0, 20, 0.0)


def test_float_seconds_would_fail_where_integer_milliseconds_do_not():
    assert (0.3 - 0.1) / (0.5 - 0.1) < 0.5 or (2.1 - 0.7) / (2.7 - 0.7) < 0.7
    assert reaches("v", Span(100, 500), Moment("v", 100, 300), 5)
    assert reaches("v", Span(700, 2700), Moment("v", 700, 2100), 7)


@pytest.mark.parametrize("tenths", IOU_TENTHS)
def test_a_threshold_is_reached_exactly_and_not_exceeded(tenths):
    found = overlaps(np.array([0, 1000]), np.array([0, 100 * tenths]))
    assert found.reaches(tenths)
    assert not found.above(tenths)
    assert found.above(tenths - 1)
    assert not found.reaches(tenths + 1)


def test_another_video_reaches_nothing():
    assert reaches("v", Span(0, 1000), Moment("v", 0, 1000), 10)
    assert not reaches("v", Span(0, 1000), Moment("w", 0, 1000), 1)
    assert not reaches(None, Span(0, 1000), Moment("w", 0, 1000), 1)


def test_the_first_five_moments_of_a_turn_stand_below_one_another():
    gold = [Gold("d", 1, "v", Span(0, 1000)), Gold("d", 2, "v"), Gold("d", 3, "v", Span(0, 1000))]
    moments = [Moment("v", 0, 500), Moment("w", 0, 1000), *[Moment("v", 900, 1100)] * DEPTH]
    found = moment_overlaps(gold, [Prediction("d", 1, moments=tuple(moments)), None, None])
    assert found.intersection.tolist() == [[500, 0, 0], [0, 0, 0], *[[100, 0, 0]] * (DEPTH - 2)]
    assert found.union.tolist() == [[1000, 1, 1], [1, 1, 1], *[[1100, 1, 1]] * (DEPTH - 2)]
