"""Pooling by attention against a longhand loop; training, running and repeating on the toy."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from baselines.base import Query, View
from baselines.encoders.image_text import load_clip
from baselines.registry import find, load
from baselines.retrieval_training.encoder_pairs import pad_frames
from baselines.retrievers.xpool import XPoolHead
from baselines.video.sampling import sample
from harness.errors import WrongUsageError
from tests.baselines import tiny

WIDTH = 8


def norm(row, layer):
    """A layer norm, written out."""
    scaled = (row - row.mean()) / np.sqrt(row.var() + layer.eps)
    return scaled * layer.weight.detach().cpu().numpy() + layer.bias.detach().cpu().numpy()


def line(row, layer):
    return layer.weight.detach().cpu().numpy() @ row + layer.bias.detach().cpu().numpy()


def longhand(head, text, frames):
    """One text's cosine with one video, frame by frame."""
    asked = line(norm(text, head.layer_norm1), head.q_proj)
    seen = [norm(frame, head.layer_norm1) for frame in frames]
    weights = [np.exp(asked @ line(frame, head.k_proj) / np.sqrt(len(text))) for frame in seen]
    mixed = sum(w * line(frame, head.v_proj) for w, frame in zip(weights, seen, strict=True))
    first = norm(line(mixed / sum(weights), head.out_proj), head.layer_norm2)
    pooled = norm(first + line(first, head.linear_proj), head.layer_norm3)
    return pooled @ text / np.linalg.norm(pooled) / np.linalg.norm(text)


def test_every_text_pools_every_video_as_the_longhand_loop_does():
    torch.manual_seed(1)
    head = XPoolHead(WIDTH).eval()
    with torch.no_grad():
        for weight in head.parameters():
            weight += 0.3 * torch.randn_like(weight)
    rng = np.random.default_rng(2)
    texts = rng.normal(size=(3, WIDTH)).astype(np.float32)
    videos = [rng.normal(size=(count, WIDTH)).astype(np.float32) for count in (1, 4, 6)]
    with torch.inference_mode():
        found = head(torch.from_numpy(texts), pad_frames(videos, 6)).numpy()
    expected = [[longhand(head, text, frames) for frames in videos] for text in texts]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("tune", ["head", "all"])
def test_what_was_trained_runs_and_twice_the_same(trained, filmed, said, tune):
    given = (f"checkpoint={trained(f'tune={tune}', 'context=decayed')}", "candidates=used")
    first, again = said("xpool", filmed, "own", *given), said("xpool", filmed, "own", *given)
    assert first == again
    turns = [prediction for dialogue in first for prediction in dialogue]
    assert sum(len(turn.videos or ()) == 4 for turn in turns) == 5


def test_two_trainings_with_one_seed_give_the_same_bytes(trained):
    first, again = trained("tune=all", out="a"), trained("tune=all", out="b")
    for name in ("weights.safetensors", "checkpoint.json", "clip/model.safetensors"):
        assert (first / name).read_bytes() == (again / name).read_bytes()


def test_a_ranking_is_that_of_every_video_compared_on_its_own(trained, filmed, films, clip):
    folder = trained()
    baseline, _ = load(find("xpool"), [f"checkpoint={folder}"])
    head = XPoolHead(tiny.WIDTH)
    head.load_state_dict(load_file(folder / "weights.safetensors"))
    split, model = filmed.split("test"), load_clip(str(clip), None)
    baseline.prepare(View(filmed.videos, split.corpus, filmed.folder, "own", 0))
    text = model.texts(["雪里的狐狸"])[0]
    cosines = {
        video_id: longhand(head, text, model.encode(sample(films[video_id], model.sampler(4, 6))))
        for video_id in split.corpus
    }
    (answer,) = baseline.answer([Query("d", 1, "zh", "video", "雪里的狐狸")])
    assert list(answer.videos) == sorted(split.corpus, key=lambda video_id: -cosines[video_id])


def test_weights_are_not_run_with_settings_that_they_were_not_made_for(trained, filmed, tmp_path):
    out = trained()
    view = View(filmed.videos, filmed.split("test").corpus, filmed.folder, "own", 0)
    other = tiny.clip(tmp_path / "other", seed=9)
    for setting, expected in (
        ("most=5", "was trained with most=6"),
        ("most=12", "was trained with most=6"),  # the default
        ("tune=all", "was trained with tune=head"),
        (f"clip={other}", "name the former with --set clip"),
    ):
        baseline, _ = load(find("xpool"), [f"checkpoint={out}", setting])
        with pytest.raises(WrongUsageError, match=expected):
            baseline.prepare(view)


def test_a_run_without_weights_says_how_to_get_some(filmed):
    baseline, _ = load(find("xpool"))
    with pytest.raises(WrongUsageError, match="ivcr baseline train xpool"):
        baseline.prepare(View(filmed.videos, (), filmed.folder, "own", 0))
