"""The frame network: rows of frames and their changes, one for each frame."""

import numpy as np
import pytest
import torch

from baselines.networks.frame_network import (
    FRAMES_AT_ONCE,
    SIZE,
    WIDTH,
    FrameNetwork,
    FrameNetworkEncoder,
    frame_pairs,
)
from baselines.video.sampling import Frames


def video(frames, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (frames, SIZE, SIZE, 3), np.uint8)
    return Frames(np.arange(frames, dtype=np.int32) * 125 + 62, pixels)


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return FrameNetworkEncoder(FrameNetwork())


def test_a_frame_is_paired_with_the_next_one_and_the_last_with_the_one_before():
    pixels = np.arange(4, dtype=np.uint8)[:, None, None, None]
    pairs = frame_pairs(pixels, np.arange(4)).reshape(4, 2)
    assert pairs.tolist() == [[0, 1], [1, 2], [2, 3], [2, 3]]
    assert frame_pairs(pixels[:1], np.arange(1)).reshape(1, 2).tolist() == [[0, 0]]


def test_each_frame_has_a_row_that_depends_on_it_and_the_next_one(encoder):
    frames = video(6)
    rows = encoder.encode(frames)
    assert rows.shape == (6, WIDTH)
    assert rows.dtype == np.float32
    frames.pixels[3] = 0
    changed = np.abs(encoder.encode(frames) - rows).max(axis=1) > 1e-6
    assert changed.tolist() == [False, False, True, True, False, False]


def test_a_long_video_has_the_rows_of_its_parts(encoder):
    frames = video(FRAMES_AT_ONCE + 5)
    rows = encoder.encode(frames)
    part = Frames(frames.times[-8:], frames.pixels[-8:])
    assert np.allclose(rows[-8:], encoder.encode(part), atol=1e-5)


def test_the_key_names_the_weights_and_the_control(encoder):
    same = FrameNetwork()
    same.load_state_dict(encoder._network.state_dict())
    torch.manual_seed(1)
    keys = {
        FrameNetworkEncoder(network, shuffled=shuffled).key
        for network in (same, FrameNetwork()) for shuffled in (False, True)
    }  # fmt: skip
    assert len(keys) == 4
    assert encoder.key in keys


def test_shuffled_frames_have_other_rows(encoder):
    frames = video(6)
    shuffled = FrameNetworkEncoder(encoder._network, shuffled=True)
    assert not np.allclose(shuffled.encode(frames), encoder.encode(frames), atol=1e-3)
    assert np.array_equal(shuffled.encode(frames), shuffled.encode(frames))


def test_the_rate_is_the_networks_own(encoder):
    assert encoder.sampler(2, most=9) == encoder.sampler(None, 9)
