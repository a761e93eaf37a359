"""Which counts depend on the answers: those that a board on hidden labels must not show."""

import numpy as np
import pytest

from harness.metrics import METRICS
from harness.outcomes import outcomes
from harness.records import Moment, Prediction

from .conftest import SOURCES
from .generated import conversation


def answered(turn, gold, right):
    """The gold answer, or one that is wrong."""
    if turn.task == "chat":
        return Prediction(*turn.key, response="hello")
    wrong = next(name for name in SOURCES if name != gold.video_id)
    video = gold.video_id if right else wrong
    moment = gold.moment and Moment(video, gold.moment.start, gold.moment.end)
    return Prediction(*turn.key, videos=(video,), moments=(moment,) if moment else ())


def counts(split, gold, rights):
    """By metric, the turns that count and the smallest number that the figure rests on."""
    given = [
        answered(turn, label, right)
        for turn, label, right in zip(split.turns, gold, rights, strict=True)
    ]
    found = outcomes(split, gold, given, SOURCES)
    columns = {name: metric.column(found) for name, metric in METRICS.items()}
    return {
        name: (
            column.counted.tolist(),
            METRICS[name].size and METRICS[name].size(column.table.sum(axis=1)),
        )
        for name, column in columns.items()
    }


@pytest.mark.parametrize("seed", range(3))
def test_a_metric_says_whether_its_counts_depend_on_the_answers(seed):
    split, gold, _ = conversation(seed)
    draw = np.random.default_rng(seed)
    tries = [counts(split, gold, draw.random(len(gold)) < share) for share in (0.2, 0.5, 0.8)]
    changing = {name for name in METRICS if any(each[name] != tries[0][name] for each in tries)}
    assert changing == {name for name, metric in METRICS.items() if metric.answers_count}
