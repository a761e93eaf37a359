"""Segments of a recogniser's rows."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, ward

from baselines.event_models.event_annotations import AnnotatedEvent, Attribute, VideoAnnotation
from baselines.event_models.event_segments import (
    PROBABILITY_FLOOR,
    add_label_noise,
    apply_actionness,
    error_rates,
    event_frames,
    log_probs,
    mean_pool,
    merge_neighbours,
    segment_video,
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
    found = segment_video(FILM, TIMES, BOTH)
    assert found.spans.tolist() == [[1250, 4999], [6250, 11249]]
    assert np.allclose(found.values, [[1, 0, 0.9, 0.1], [0, 1, 0.9, 0.1]])


def test_noise_within_an_event_does_not_cut_it():
    noise = np.random.default_rng(0).normal(0, 0.05, FILM.shape).astype(np.float32)
    found = segment_video(np.clip(FILM + noise, 0, 1), TIMES, BOTH)
    assert found.spans.tolist() == [[1250, 4999], [6250, 11249]]


def test_a_video_in_which_nothing_goes_on_keeps_one_segment():
    found = segment_video(rows((NOTHING, 50)), TIMES[:50], BOTH)
    assert len(found.values) == 1


def test_merging_is_wards_where_the_most_similar_are_neighbours():
    drawn = np.random.default_rng(1)
    levels = np.repeat(np.arange(8) * 3.0, 12) + drawn.normal(0, 0.2, 96)
    found = merge_neighbours(levels[:, None].astype(np.float32), 10.0)
    # scipy's distance is the root of twice the criterion
    labels = fcluster(ward(levels[:, None]), np.sqrt(2 * 10.0), "distance")
    assert found.tolist() == [0, *(np.flatnonzero(np.diff(labels)) + 1), 96]


def test_values_of_events_are_multiplied_by_the_probability_that_one_goes_on():
    half = rows(([0.6, 0.4, 0.9, 0.1, 0.5], 1))
    assert apply_actionness(half, BOTH)[0].tolist() == pytest.approx([0.3, 0.2, 0.9, 0.1])


def test_pooling_is_the_mean_of_each_span():
    values = np.random.default_rng(2).random((20, 3), np.float32)
    starts, ends = np.array([0, 5, 19]), np.array([20, 9, 20])
    expected = [values[a:b].mean(0) for a, b in zip(starts, ends, strict=True)]
    assert np.allclose(mean_pool(values, starts, ends), expected, atol=1e-6)


def test_annotated_events_are_found_by_their_times():
    video = VideoAnnotation(
        (AnnotatedEvent(1000, 2000, (0,)), AnnotatedEvent(3000, 3100, (1,))), ()
    )
    assert event_frames(TIMES, video).tolist() == [[8, 16], [24, 25]]
    assert event_frames(TIMES, VideoAnnotation((AnnotatedEvent(1000, 1050, (0,)),), ())) is None
    assert event_frames(TIMES, VideoAnnotation((), ())) is None


def test_error_rates_are_what_the_greatest_shares_leave():
    sure, unsure = np.array([[1, 0, 0.5, 0.5]]), np.array([[0.4, 0.4, 0.7, 0.3]])
    assert error_rates([sure, unsure], BOTH).tolist() == pytest.approx([0.25, 0.4])
    assert error_rates([], BOTH).tolist() == [0.1, 0.1]


def test_label_noise_keeps_the_sum_of_an_attributes_values():
    values = np.random.default_rng(3).random((50, 4), np.float32)
    noisy = add_label_noise(values, BOTH, np.array([0.4, 0.0]), np.random.default_rng(4))
    assert np.allclose(noisy[:, :2].sum(1), values[:, :2].sum(1), atol=1e-5)
    assert 0.5 < (noisy[:, 0] != values[:, 0]).mean() < 1
    assert (noisy[:, 2:] == values[:, 2:]).all()


def test_log_probs_run_from_0_to_1_as_the_natural_logarithm_does():
    values = np.array([0.0, 0.3, 1.0], np.float32)
    # ln((0.3 + 0.03) / 0.03) / ln(1.03 / 0.03) = ln 11 / ln 34.33
    assert PROBABILITY_FLOOR == 0.03
    assert log_probs(values).tolist() == pytest.approx([0, 2.397895 / 3.536117, 1], abs=1e-5)
