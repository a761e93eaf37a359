"""Segments of a recogniser's rows."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, ward

from baselines.event_models.event_annotations import Attribute, Event, Script
from baselines.event_models.event_segments import (
    doubts,
    gate,
    merged,
    of_events,
    pooled,
    segments,
    unsure,
)

COLOUR = Attribute("colour", True, ("blue", "red"), 0)
GROUND = Attribute("ground", False, ("sky", "sea"), 2)
BOTH = (COLOUR, GROUND)
BLUE, RED, NOTHING = [1, 0, 0.9, 0.1, 1], [0, 1, 0.9, 0.1, 1], [0.5, 0.5, 0.9, 0.1, 0]
TIMES = np.arange(90, dtype=np.int32) * 125 + 62


def rows(*parts):
    return np.array([row for row, count in parts for _ in range(count)], np.float32)


FILM = rows((NOTHING, 10), (BLUE, 30), (NOTHING, 10), (RED, 40))


def test_events_become_segments_where_they_are():
    found = segments(FILM, TIMES, BOTH)
    assert found.spans.tolist() == [[1250, 4999], [6250, 11249]]
    assert np.allclose(found.values, [[1, 0, 0.9, 0.1], [0, 1, 0.9, 0.1]])


def test_noise_within_an_event_does_not_cut_it():
    noise = np.random.default_rng(0).normal(0, 0.05, FILM.shape).astype(np.float32)
    found = segments(np.clip(FILM + noise, 0, 1), TIMES, BOTH)
    assert found.spans.tolist() == [[1250, 4999], [6250, 11249]]


def test_a_video_in_which_nothing_goes_on_keeps_one_segment():
    found = segments(rows((NOTHING, 50)), TIMES[:50], BOTH)
    assert len(found.values) == 1


def test_merging_is_wards_where_neighbours_are_the_likest_anyway():
    drawn = np.random.default_rng(1)
    levels = np.repeat(np.arange(8) * 3.0, 12) + drawn.normal(0, 0.2, 96)
    found = merged(levels[:, None].astype(np.float32), 10.0)
    # scipy's distance is the root of twice the criterion
    labels = fcluster(ward(levels[:, None]), np.sqrt(2 * 10.0), "distance")
    assert found.tolist() == [0, *(np.flatnonzero(np.diff(labels)) + 1), 96]


def test_what_is_said_of_events_counts_as_far_as_one_goes_on():
    half = rows(([0.6, 0.4, 0.9, 0.1, 0.5], 1))
    assert gate(half, BOTH)[0].tolist() == pytest.approx([0.3, 0.2, 0.9, 0.1])


def test_pooling_is_the_mean_of_each_span():
    values = np.random.default_rng(2).random((20, 3), np.float32)
    starts, ends = np.array([0, 5, 19]), np.array([20, 9, 20])
    expected = [values[a:b].mean(0) for a, b in zip(starts, ends, strict=True)]
    assert np.allclose(pooled(values, starts, ends), expected, atol=1e-6)


def test_annotated_events_are_found_by_their_times():
    script = Script((Event(1000, 2000, (0,)), Event(3000, 3100, (1,))), ())
    assert of_events(TIMES, script).tolist() == [[8, 16], [24, 25]]
    assert of_events(TIMES, Script((Event(1000, 1050, (0,)),), ())) is None
    assert of_events(TIMES, Script((), ())) is None


def test_doubt_is_what_the_greatest_share_leaves():
    sure, unsure_ = np.array([[1, 0, 0.5, 0.5]]), np.array([[0.4, 0.4, 0.7, 0.3]])
    assert doubts([sure, unsure_], BOTH).tolist() == pytest.approx([0.25, 0.4])
    assert doubts([], BOTH).tolist() == [0.1, 0.1]


def test_noise_keeps_what_an_attribute_adds_up_to():
    values = np.random.default_rng(3).random((50, 4), np.float32)
    noisy = unsure(values, BOTH, np.array([0.4, 0.0]), np.random.default_rng(4))
    assert np.allclose(noisy[:, :2].sum(1), values[:, :2].sum(1), atol=1e-5)
    assert 0.5 < (noisy[:, 0] != values[:, 0]).mean() < 1
    assert (noisy[:, 2:] == values[:, 2:]).all()
