"""Steps of a video, and the segments around them."""

import numpy as np
import pytest
import torch

from baselines.event_models.event_annotations import Attribute
from baselines.localisation.events.step_features import collate_steps, step_features
from baselines.localisation.heads import STEPS

COLOUR = (Attribute("colour", True, ("blue", "red"), 0),)
ROWS = np.tile(np.array([0.2, 0.8, 1.0], np.float32), (96, 1))
VALUES = np.array([[0.9, 0.1], [0.1, 0.9]], np.float32)
BOUNDS = np.array([[0.25, 0.5], [0.75, 1.0]])


def test_a_step_knows_its_segment_and_its_neighbours():
    video = step_features(ROWS, COLOUR, VALUES, BOUNDS)
    none = 2
    assert video.owner[0].tolist() == [none, none, 0]
    assert video.owner[STEPS // 4].tolist() == [0, none, 1]
    assert video.owner[STEPS // 2].tolist() == [none, 0, 1]
    assert video.owner[-1].tolist() == [1, 0, none]
    assert video.known[STEPS // 4, 1:9].tolist() == pytest.approx(
        [1, np.log(0.25) + 2, 1, 1, 1, 0, 0.25, 0.5]
    )
    assert video.known[0, :2].tolist() == [1, 0]


def test_a_video_of_fewer_frames_than_steps_is_spread_over_them():
    video = step_features(ROWS[:5], COLOUR, VALUES, BOUNDS)
    assert video.shows.shape == (STEPS, 2)
    assert np.isfinite(video.shows).all()


def test_the_empty_segment_stays_empty_beside_a_video_of_more_segments():
    short = step_features(ROWS, COLOUR, VALUES[:1], BOUNDS[:1])
    both = collate_steps([short, step_features(ROWS, COLOUR, VALUES, BOUNDS)])
    assert not both.segments[0, both.owner[0, 0, 0]].any()
    assert torch.equal(both.segments[0, 0], both.segments[1, 0])
