"""Both similarities against longhand; training what `tune` says; running on the toy."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from baselines.base import Query, View
from baselines.encoders.image_text import load_clip
from baselines.registry import find, load
from baselines.retrieval_training.encoder_pairs import FrameBatch, pad_frames
from baselines.retrievers.clip4clip import CLIP4ClipHead
from tests.baselines import tiny

WIDTH, MOST = 8, 5
RNG = np.random.default_rng(3)
TEXTS = RNG.normal(size=(3, WIDTH)).astype(np.float32)
VIDEOS = [RNG.normal(size=(count, WIDTH)).astype(np.float32) for count in (1, 4, 5)]


def cosines(texts, videos):
    """Cosines of texts and means of frames of length 1."""
    means = [(frames / np.linalg.norm(frames, axis=1, keepdims=True)).mean(0) for frames in videos]
    return [
        [text @ mean / np.linalg.norm(text) / np.linalg.norm(mean) for mean in means]
        for text in texts
    ]


def scores(head, videos=VIDEOS):
    with torch.inference_mode():
        return head(torch.from_numpy(TEXTS), pad_frames(videos, MOST)).numpy()


@pytest.mark.parametrize("similarity", ["mean", "sequence"])
def test_before_training_both_are_the_cosine_of_means(similarity):
    torch.manual_seed(0)
    head = CLIP4ClipHead(WIDTH, MOST, similarity, maps=True).eval()
    if similarity == "sequence":
        torch.nn.init.zeros_(head.positions.weight)
    np.testing.assert_allclose(scores(head), cosines(TEXTS, VIDEOS), atol=1e-6)


def stirred(similarity):
    torch.manual_seed(4)
    head = CLIP4ClipHead(WIDTH, MOST, similarity, maps=True).eval()
    with torch.no_grad():
        for weight in head.parameters():
            weight += 0.3 * torch.randn_like(weight)
    return head


def test_the_order_of_frames_matters_to_the_sequence_alone():
    turned = [frames[::-1].copy() for frames in VIDEOS]
    np.testing.assert_allclose(scores(stirred("mean")), scores(stirred("mean"), turned), atol=1e-6)
    sequence = stirred("sequence")
    assert np.abs(scores(sequence) - scores(sequence, turned))[:, 1:].max() > 0.01


def test_a_sequence_adds_its_layers_to_the_frames():
    head = stirred("sequence")
    frames = torch.from_numpy(VIDEOS[2][None])
    with torch.inference_mode():
        mapped = head.frame(frames)
        placed = mapped + head.positions.weight
        for layer in head.layers.layers:
            asked = layer.norm1(placed)
            placed = placed + layer.self_attn(asked, asked, asked)[0]
            inner = torch.nn.functional.gelu(layer.linear1(layer.norm2(placed)))
            placed = placed + layer.linear2(inner)
        together = (mapped + placed)[0].numpy()
        found = head.videos(FrameBatch(frames, torch.ones(1, MOST)))[0].numpy()
    mean = (together / np.linalg.norm(together, axis=1, keepdims=True)).mean(0)
    np.testing.assert_allclose(found, mean / np.linalg.norm(mean), atol=1e-5)


@pytest.mark.parametrize("similarity", ["mean", "sequence"])
def test_what_was_trained_runs_and_twice_the_same(trained, filmed, said, similarity):
    out = trained(f"similarity={similarity}", name="clip4clip")
    given = (f"checkpoint={out}", "candidates=used", "context=all")
    first, again = (
        said("clip4clip", filmed, "own", *given),
        said("clip4clip", filmed, "own", *given),
    )
    assert first == again
    turns = [prediction for dialogue in first for prediction in dialogue]
    assert sum(len(turn.videos or ()) == 4 for turn in turns) == 5


def test_tune_says_which_weights_change(trained, clip):
    before = load_file(clip / "model.safetensors")
    whole = trained("tune=all", name="clip4clip", out="all")
    after = load_file(whole / "clip" / "model.safetensors")
    assert sum((before[name] != after[name]).any() for name in before) > len(before) / 2
    assert (before["logit_scale"] == after["logit_scale"]).all()
    assert list(load_file(whole / "weights.safetensors")) == []
    head = trained("tune=head", name="clip4clip", out="head")
    assert not (head / "clip").exists()
    assert (load_file(head / "weights.safetensors")["text.weight"] != torch.eye(tiny.WIDTH)).any()


def test_settings_are_those_of_the_training_unless_others_are_given(trained, filmed, clip):
    out = trained("context=decayed", name="clip4clip")
    view = View(filmed.videos, filmed.split("test").corpus, filmed.folder, "own", 0)
    others = {"most": 6, "rate": 4.0}
    for given, expected in (
        ((), {"context": "decayed", **others}),
        (("context=all",), {"context": "all", **others}),
        (("context=last",), others),  # the default, which is not what it was trained with
    ):
        baseline, _ = load(find("clip4clip"), [f"checkpoint={out}", *given])
        baseline.prepare(view)
        told = baseline.provenance()
        assert told.details["settings"] == expected
    assert told.training_data == ("pre-training of clip", "toy train")
    assert told.details["clip"] == load_clip(str(clip), None).key
    (answer,) = baseline.answer([Query("d", 1, "zh", "video", "找一只狗")])
    assert len(answer.videos) == 4
