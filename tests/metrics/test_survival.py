"""Survival over retrieval turns against lifelines, whose clock starts one turn earlier."""

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time

from harness.metrics import METRICS
from harness.metrics.survival import survives
from harness.outcomes import outcomes
from harness.records import Prediction
from harness.scoring import design_of, figures
from harness.statistics.design import linearise

from .conftest import SOURCES, VIDEOS, make_split


def dialogues(*patterns):
    """A split of video turns, one dialogue a pattern, `+` right and `-` wrong; scored in `all`."""
    rows, given = [], []
    for number, pattern in enumerate(patterns):
        for turn, sign in enumerate(pattern, start=1):
            video = VIDEOS[len(rows)]
            rows.append((f"d{number}", turn, 1, "en", "video", video, {}))
            given.append(Prediction(f"d{number}", turn, (video,) if sign == "+" else ()))
    found = outcomes(*make_split(rows), given, SOURCES)
    columns = {name: metric.column(found) for name, metric in METRICS.items()}
    design = design_of(found.frame)
    return figures(found.frame, columns, design, hidden=False)["all"], columns, design


PATTERNS = ["-", "+", "+-", "++", "++-+", "+++-", "-+++", "+++++++-", "++++", "++-++"]


def fitted(delay=0):
    lives = [(pattern.find("-") + 1 or len(pattern), "-" in pattern) for pattern in PATTERNS]
    times, failed = zip(*lives, strict=True)
    return KaplanMeierFitter().fit(np.array(times) - delay, failed)


def test_survival_equals_lifelines_turn_by_turn():
    cells, *_ = dialogues(*PATTERNS)
    foreign = fitted()
    for t in range(1, 9):
        expected = float(foreign.survival_function_at_times(t).iloc[0])
        assert cells[f"S@{t}"]["value"] == pytest.approx(expected, rel=1e-9)


def test_restricted_mean_equals_lifelines_once_the_first_turn_is_its_time_0():
    cells, *_ = dialogues(*PATTERNS)
    # lifelines integrates from 0 with S = 1 up to the first event; here the first event is at turn
    # 1, so the integral of the undelayed curve would be 1 + S@1 + ... + S@6.
    expected = restricted_mean_survival_time(fitted(delay=1), t=7)
    assert cells["RMST@7"]["value"] == pytest.approx(expected, rel=1e-9)
    late = restricted_mean_survival_time(fitted(), t=7)
    assert late == pytest.approx(expected + 1 - cells["S@7"]["value"])


def test_variance_is_greenwoods_where_dialogues_share_nothing():
    _, columns, design = dialogues(*PATTERNS)
    for t in (1, 3, 4):
        value, influence, _ = linearise(survives, columns[f"S@{t}"].table)
        by_dialogue = np.bincount(design.unit[columns[f"S@{t}"].counted], weights=influence[:, 0])
        events = fitted().event_table.loc[1:t]
        terms = events.observed / (events.at_risk * (events.at_risk - events.observed))
        assert np.square(by_dialogue).sum() == pytest.approx(value**2 * terms.sum(), rel=1e-4)


def test_a_turn_that_nobody_reaches_unharmed_has_no_share():
    cells, *_ = dialogues("++", "+-", "+")
    assert [cells[f"S@{t}"]["value"] for t in (1, 2)] == [1, 1 / 2]
    assert cells["S@3"] == {
        "value": None,
        "why": "no dialogue is at risk at retrieval turn 3",
        "turns": 5,
        "dialogues": 3,
    }
    assert cells["RMST@7"]["value"] is None


def test_once_all_have_failed_the_share_stays_0():
    cells, *_ = dialogues("+-", "-++", "+-+")
    assert cells["S@1"]["value"] == pytest.approx(2 / 3)
    assert [cells[f"S@{t}"]["value"] for t in (2, 3, 10)] == [0, 0, 0]
    assert cells["RMST@7"]["value"] == pytest.approx(2 / 3)
    assert cells["RMST@7"]["low"] is not None
