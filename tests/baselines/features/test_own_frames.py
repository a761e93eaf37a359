"""A localiser's own frame network as an encoder of frames."""

from pathlib import Path

import numpy as np
import pytest

from baselines.base import silent
from baselines.features.feature_building import BuildOptions, build_features
from baselines.features.own_frames import load_own_frames
from baselines.networks.frame_network import SIZE, WIDTH
from baselines.video.sampling import sample
from harness.errors import WrongUsageError


def test_a_localisers_frame_network_encodes_frames(toy, ready):
    [given] = ready("moment_detr")
    encoder = load_own_frames(Path(given.removeprefix("checkpoint=")))
    frames = sample(toy.folder / "videos" / "A" / "cat.mp4", encoder.sampler(1, 20))
    rows = encoder.encode(frames)
    assert frames.pixels.shape == (20, SIZE, SIZE, 3)
    assert rows.shape == (20, encoder.width) == (20, WIDTH)
    assert rows.std() > 0
    again = load_own_frames(Path(given.removeprefix("checkpoint=")))
    assert again.key == encoder.key
    assert np.array_equal(again.encode(frames), rows)


def test_features_are_built_with_a_localisers_frame_network(toy, ready, tmp_path):
    [given] = ready("moment_detr")
    options = BuildOptions(given.removeprefix("checkpoint="))
    built = build_features(toy, tmp_path / "built", options, cache=None, note=silent)
    assert (built.width, built.frames["sampler"]["rate"], built.videos) == (WIDTH, 8.0, 4)


def test_a_folder_without_one_is_refused(ready):
    with pytest.raises(WrongUsageError, match="tan2d or moment_detr or two_tower"):
        load_own_frames(Path(ready("dual_encoder")[0].removeprefix("checkpoint=")))
