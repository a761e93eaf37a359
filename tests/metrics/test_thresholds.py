"""IoU thresholds are exact to the millisecond, from the decimal seconds of a file to the hit."""

import json

import pytest

from harness.metrics import METRICS
from harness.outcomes import outcomes
from harness.records import Moment, Prediction, milliseconds
from harness.temporal import IOU_TENTHS
from tests.metrics.conftest import SOURCES, VIDEOS, make_split

LENGTHS = range(1, 2001)  # of gold spans, in hundredths of a second


def written_and_read(length):
    """A time in milliseconds, as a file holds it in seconds, read again."""
    return milliseconds(json.loads(f"{length // 1000}.{length % 1000:03}"))


@pytest.mark.parametrize("tenths", IOU_TENTHS)
@pytest.mark.parametrize(("more", "hits"), [(0, True), (-1, False)], ids=["exactly", "1 ms less"])
def test_a_threshold_is_met_exactly_and_missed_by_a_millisecond(tenths, more, hits):
    # The prediction is the first `tenths` tenths of the gold span: an IoU of just that.
    cut = [written_and_read(tenths * length + more) for length in LENGTHS]
    whole = [written_and_read(10 * length) for length in LENGTHS]
    rows = [("d", n, 1, "en", "moment", VIDEOS[0], {"moment": (0, end)})
            for n, end in enumerate(whole, start=1)]  # fmt: skip
    split, gold = make_split(rows)
    given = [
        Prediction("d", n, moments=(Moment(VIDEOS[0], 0, end),))
        for n, end in enumerate(cut, start=1)
    ]
    column = METRICS[f"R@1,IoU>=0.{tenths}"].column(outcomes(split, gold, given, SOURCES))
    assert column.values.tolist() == [float(hits)] * len(LENGTHS)
