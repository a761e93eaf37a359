"""Metrics of moments: exact at thresholds, by the video, the depth and the abstentions."""

from fractions import Fraction

import numpy as np
import pytest

from harness.metrics import METRICS
from harness.outcomes import outcomes
from harness.records import Moment, Prediction
from harness.temporal import IOU_TENTHS

from .conftest import SOURCES, make_split


def case_of(gold_spans, predicted):
    rows = [("d", n, 1, "en", "moment", "S0/0.mp4", {"moment": span})
            for n, span in enumerate(gold_spans, start=1)]  # fmt: skip
    split, gold = make_split(rows)
    given = [
        Prediction("d", n, None, tuple(moments)) for n, moments in enumerate(predicted, start=1)
    ]
    return outcomes(split, gold, given, SOURCES)


def tenths_of_seconds(limit):
    return [
        (start * 100, end * 100) for start in range(limit) for end in range(start + 1, limit + 1)
    ]


def test_no_pair_on_a_grid_of_tenths_fails_a_threshold_that_it_meets_exactly():
    spans = tenths_of_seconds(22)
    pairs = [(gold, span) for gold in spans for span in spans]
    found = case_of([gold for gold, _ in pairs], [[Moment("S0/0.mp4", *s)] for _, s in pairs])
    exact = []
    for gold, span in pairs:
        met = max(0, min(gold[1], span[1]) - max(gold[0], span[0]))
        joined = gold[1] - gold[0] + span[1] - span[0] - met
        exact.append(Fraction(met, joined))
    for tenths in IOU_TENTHS:
        column = METRICS[f"R@1,IoU>=0.{tenths}"].column(found)
        expected = [iou >= Fraction(tenths, 10) for iou in exact]
        assert Fraction(tenths, 10) in exact
        assert column.values.tolist() == expected
    assert METRICS["mIoU"].column(found).values == pytest.approx([float(iou) for iou in exact])


def test_a_moment_in_another_video_has_iou_zero():
    found = case_of([(0, 1000)], [[Moment("S1/1.mp4", 0, 1000), Moment("S0/0.mp4", 0, 1000)]])
    assert METRICS["mIoU"].column(found).values.tolist() == [0.0]
    assert METRICS["R@1,IoU>=0.3"].column(found).values.tolist() == [0.0]
    assert METRICS["R@5,IoU>=0.7"].column(found).values.tolist() == [1.0]


def test_only_the_first_five_moments_count():
    wrong = [Moment("S0/0.mp4", 5000 + n, 6000) for n in range(5)]
    found = case_of([(0, 1000)], [[*wrong, Moment("S0/0.mp4", 0, 1000)]])
    assert METRICS["R@5,IoU>=0.3"].column(found).values.tolist() == [0.0]


def test_abstentions_score_zero_and_count():
    found = case_of([(0, 1000), (0, 1000)], [[], [Moment("S0/0.mp4", 0, 1000)]])
    column = METRICS["R@1,IoU>=0.5"].column(found)
    assert np.mean(column.values[column.counted]) == 1 / 2
