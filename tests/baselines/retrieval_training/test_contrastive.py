"""The loss against CLIP's own and a longhand sum; what pairs hold; training and padding."""

import numpy as np
import pytest
import torch
from transformers import CLIPModel

from baselines.base import LabelledSplit, TrainerConfig, View
from baselines.dialogue_context import Weighted
from baselines.encoders.image_text import load_clip
from baselines.retrieval_training.contrastive import (
    ContrastiveModule,
    LearningRates,
    TextVideoPair,
    contrastive_loss,
    train_module,
    training_pairs,
)
from baselines.retrieval_training.encoder_pairs import CachedEncoder, TrainableEncoder, pad_frames
from baselines.retrievers.clip4clip import CLIP4ClipHead as Clip4Clip
from baselines.retrievers.xpool import XPoolHead as XPool
from harness.records import Gold, Turn
from tests.baselines import tiny

WIDTH, MOST = 12, 5
RNG = np.random.default_rng(5)


def test_without_pairs_of_one_video_the_loss_is_clips_own(tmp_path):
    model, draw = CLIPModel.from_pretrained(tiny.clip(tmp_path)), torch.Generator().manual_seed(0)
    with torch.inference_mode():
        output = model(
            input_ids=torch.randint(100, (6, 5), generator=draw),
            pixel_values=torch.randn(6, 3, tiny.SIDE, tiny.SIDE, generator=draw),
            return_loss=True,
        )
        found = contrastive_loss(output.logits_per_text, torch.arange(6))
    assert float(output.loss) > 0.1
    assert found == pytest.approx(float(output.loss), abs=1e-5)


def test_pairs_of_one_video_are_no_negatives_of_each_other():
    logits = torch.randn(4, 4, generator=torch.Generator().manual_seed(1)).double()
    videos = [7, 3, 7, 5]
    terms = []
    for rows in (logits.tolist(), logits.T.tolist()):
        for i, row in enumerate(rows):
            rivals = [row[j] for j in range(4) if j == i or videos[j] != videos[i]]
            terms.append(np.log(np.exp(rivals).sum()) - row[i])
    assert contrastive_loss(logits, torch.tensor(videos)) == pytest.approx(sum(terms) / len(terms))


def dialogue(*utterances, name="d"):
    turns = tuple(
        Turn(name, at, 1, "en", "moment" if text == "when" else "video", text)
        for at, text in enumerate(utterances, start=1)
    )
    return turns, tuple(Gold(name, turn.turn, f"{turn.utterance}.mp4") for turn in turns)


def test_pairs_are_the_video_turns_with_the_earlier_utterances_of_their_dialogue():
    (first, gold), (second, more) = dialogue("a", "when", "b"), dialogue("c", name="e")
    found = training_pairs(LabelledSplit(first + second, gold + more, {}), "decayed")
    assert [pair.video_id for pair in found] == ["a.mp4", "b.mp4", "c.mp4"]
    assert found[1].readings == (("a", 0.25), ("when", 0.5), ("b", 1.0))
    assert found[2].readings == (("c", 1.0),)


def test_no_pair_reads_a_later_turn_or_any_gold_but_its_own():
    turns, gold = dialogue("a", "b", "c")
    others = dialogue("a", "b", "x")[0], (gold[0], gold[1], Gold("d", 3, "y.mp4"))
    for context in ("last", "all", "decayed"):
        kept = training_pairs(LabelledSplit(turns, gold, {}), context)[:2]
        assert training_pairs(LabelledSplit(*others, {}), context)[:2] == kept


def rows(count):
    found = RNG.normal(size=(count, WIDTH)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


class Clip:
    """A checkpoint that gives every text a vector of its own."""

    def __init__(self):
        self.known = {}

    def texts(self, texts):
        return np.concatenate([self.known.setdefault(text, rows(1)) for text in texts])


VIDEOS = {f"{name}.mp4": rows(3 + at) for at, name in enumerate("abc")}
PAIRS = [TextVideoPair((Weighted(name, 1.0),), f"{name}.mp4") for name in "abc"]
HEADS = {
    "mean": lambda: Clip4Clip(WIDTH, MOST, "mean", maps=True),
    "sequence": lambda: Clip4Clip(WIDTH, MOST, "sequence", maps=True),
    "xpool": lambda: XPool(WIDTH),
}


def learner(kind, val=PAIRS):
    torch.manual_seed(0)
    encoders, rates = CachedEncoder(Clip(), VIDEOS, MOST), LearningRates(1e-2, 0.0)
    return ContrastiveModule(HEADS[kind](), encoders, PAIRS, val, rates=rates, scale=10.0)


@pytest.mark.parametrize("kind", HEADS)
def test_three_pairs_can_be_memorised(kind, tmp_path):
    module, notes = learner(kind), []
    before = float(module.eval().training_step(torch.arange(3)[:, None], 0).detach())
    view = View({}, (), tmp_path, "own", 0, note=notes.append)
    assert train_module(module, view, TrainerConfig(tmp_path / "out"), epochs=60) <= 60
    after = float(module.eval().training_step(torch.arange(3)[:, None], 0).detach())
    assert after < before / 2
    assert "R@1 1" in notes[-1]


def test_padding_changes_no_score():
    short = pad_frames([VIDEOS["a.mp4"]], 3)
    long = pad_frames([VIDEOS["a.mp4"]], MOST)
    assert long.mask.tolist() == [[1, 1, 1, 0, 0]]
    for make in HEADS.values():
        torch.manual_seed(0)
        head = make().eval()
        text = torch.from_numpy(rows(2))
        torch.testing.assert_close(head(text, short), head(text, long), atol=1e-6, rtol=1e-5)


def test_a_mask_without_gradients_keeps_the_loss_finite():
    batch = torch.tensor([[0], [0], [1]])
    loss = learner("xpool").training_step(batch, 0)
    loss.backward()
    assert torch.isfinite(loss)


class Counting:
    """Encoders that count what they encode, with gradients or without."""

    def __init__(self, inner):
        self.inner, self.videos, self.graded = inner, [], []

    def texts(self, readings):
        return self.inner.texts(readings)

    def frames(self, video_ids):
        self.videos += video_ids
        self.graded.append(torch.is_grad_enabled())
        return self.inner.frames(video_ids)


@pytest.mark.parametrize("kind", HEADS)
def test_a_validation_encodes_every_video_once_and_ranks_as_each_batch_alone(kind, tmp_path):
    val = [
        TextVideoPair((Weighted(f"{name}{at}", 1.0),), f"{name}.mp4")
        for name in "abc"
        for at in range(30)
    ]
    module = learner(kind, val)
    module.encoders = counting = Counting(module.encoders)
    view, steps = View({}, (), tmp_path, "own", 0), 2
    notes = []
    view = View({}, (), tmp_path, "own", 0, note=notes.append)
    train_module(module, view, TrainerConfig(tmp_path / "out", steps=steps), epochs=60)
    seen = [graded for graded in counting.graded if not graded]
    assert len(counting.videos) == steps * len(VIDEOS) + len(seen) * len(VIDEOS)
    assert len(seen) == steps
    naive = []
    with torch.inference_mode():
        module.eval()
        module.on_validation_epoch_start()
        together = module._val_frames
        for at in range(0, len(val), 32):
            texts = counting.texts([pair.readings for pair in val[at : at + 32]])
            alone = module.head(texts, counting.frames([f"{name}.mp4" for name in "abc"]))
            naive.append(torch.equal(alone, module.head(texts, together)))
    assert naive == [True] * 3


@pytest.mark.parametrize("make", [tiny.clip, tiny.chinese_clip, tiny.siglip, tiny.siglip2])
def test_texts_of_a_padded_batch_are_those_of_each_text_alone(make, tmp_path):
    model = load_clip(str(make(tmp_path / "clip")), None)
    texts = ["a dog", "找一只在沙滩上奔跑的狗", "a cat sleeps on a sofa and a dog runs", ""]
    with torch.inference_mode():
        alone = torch.cat([model.text(text) for text in texts])
        together = model.text_batch(texts)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)
    assert (alone[0] - alone[2]).abs().max() > 0.01
    readings = [(Weighted("a dog", 0.5), Weighted(texts[1], 1.0)), (Weighted("a dog", 1.0),)]
    sums = torch.stack([0.5 * alone[0] + alone[1], alone[0]])
    found = TrainableEncoder(model, {}, MOST).texts(readings)
    torch.testing.assert_close(
        found.detach(), torch.nn.functional.normalize(sums, dim=-1), atol=1e-5, rtol=1e-4
    )
