"""Parts of a video's time, texts alone and in a batch, and what draws of negatives hold."""

import numpy as np
import pytest
import torch

from baselines.base import LabelledSplit
from baselines.dialogue_context import Weighted
from baselines.retrieval_training.contrastive import (
    HardNegatives,
    TextVideoPair,
    contrastive_loss,
    pairs_with_videos,
    training_pairs,
)
from baselines.retrieval_training.feature_encoders import WIDTH, FeatureEncoders, in_parts
from baselines.retrieval_training.text_reader import new_reader, trained_reader
from baselines.retrieval_training.two_tower_head import TwoTowerHead, WordStepHead, word_scores
from baselines.retrieval_training.word_encoders import WordEncoders, weighted_words
from harness.errors import WrongUsageError
from harness.records import Gold, Turn
from tests.baselines import tiny

RNG = np.random.default_rng(11)
TEXTS = ["a dog on a beach", "找一只在沙滩上奔跑的狗", "snow?", ""]
ROWS = {
    name: RNG.normal(size=(count, 6)).astype(np.float32)
    for name, count in zip("abc", (1, 5, 9), strict=True)
}


def silent(_):
    pass


@pytest.mark.parametrize(("count", "most"), [(9, 4), (4, 4), (3, 4), (1, 1), (100, 7)])
def test_parts_are_means_of_equal_shares(count, most):
    rows = RNG.normal(size=(count, 3)).astype(np.float32)
    parts = np.array_split(rows, [count * at // most for at in range(1, most)])
    hand = rows if count <= most else np.stack([part.mean(0) for part in parts])
    np.testing.assert_allclose(in_parts(rows, most), hand, atol=1e-6)
    assert in_parts(rows, most).shape == (min(count, most), 3)


def encoders(reader=None):
    torch.manual_seed(0)
    return FeatureEncoders(reader or new_reader("", None, TEXTS, silent), ROWS, 6, 4).eval()


def test_a_text_in_a_batch_is_the_text_alone():
    made = encoders()
    readings = [(Weighted(TEXTS[0], 0.5), Weighted(TEXTS[1], 1.0)), (Weighted(TEXTS[3], 1.0),)]
    alone = [made.embed(text) for text in TEXTS]
    with torch.inference_mode():
        together = made.texts(readings).numpy()
    sums = np.stack([0.5 * alone[0] + alone[1], alone[3]])
    np.testing.assert_allclose(
        together, sums / np.linalg.norm(sums, axis=1, keepdims=True), atol=1e-6
    )
    assert made.embed(TEXTS[0]).tobytes() == alone[0].tobytes()


def test_scores_are_greatest_cosines_whatever_is_padded():
    made = encoders()
    head = TwoTowerHead(WIDTH, 4, 3).eval()
    with torch.inference_mode():
        texts = torch.from_numpy(np.stack([made.embed(text) for text in TEXTS]))
        together = head(texts, made.frames(["a", "b", "c"])).numpy()
        for at, name in enumerate("abc"):
            vectors = head.videos(made.frames([name]))[0].numpy()
            assert vectors.shape == (3, WIDTH)
            cosines = (head.texts(texts).numpy() @ vectors.T).max(1)
            np.testing.assert_allclose(together[:, at], cosines, atol=1e-6)
    assert np.ptp(together) > 0.01


def test_words_of_a_text_in_a_batch_are_those_of_the_text_alone():
    torch.manual_seed(0)
    made = WordEncoders(new_reader("", None, TEXTS, silent), ROWS, 6, 4).eval()
    readings = [(Weighted(TEXTS[0], 0.5), Weighted(TEXTS[1], 1.0)), (Weighted(TEXTS[3], 1.0),)]
    with torch.inference_mode():
        together = made.texts(readings).numpy()
    for row, each in zip(together, readings, strict=True):
        alone = weighted_words(made.embed, each)
        np.testing.assert_allclose(row[: len(alone)], alone, atol=1e-6)
        assert not row[len(alone) :].any()
    assert len(made.embed(TEXTS[0])) == 5
    lengths = np.linalg.norm(made.embed(TEXTS[0]), axis=1)
    np.testing.assert_allclose(lengths * np.sqrt(5), np.log(2), atol=0.5)  # softplus near 0


def test_word_scores_are_sums_of_greatest_products_whatever_is_padded():
    torch.manual_seed(0)
    made = WordEncoders(new_reader("", None, TEXTS, silent), ROWS, 6, 4).eval()
    head = WordStepHead(WIDTH, 4).eval()
    with torch.inference_mode():
        texts = made.texts([(Weighted(text, 1.0),) for text in TEXTS])
        together = head(texts, made.frames(["a", "b", "c"])).numpy()
        for at, name in enumerate("abc"):
            (steps,) = head.rows(made.frames([name]))
            assert steps.shape == (min(len(ROWS[name]), 4), WIDTH)
            hand = [(made.embed(text) @ steps.numpy().T).max(1).sum() for text in TEXTS]
            np.testing.assert_allclose(together[:, at], hand, atol=1e-5)
    assert np.ptp(together) > 0.01


def test_a_step_that_is_masked_is_never_the_nearest():
    words = torch.tensor([[[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]]])
    steps = torch.tensor([[[-1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]])
    assert word_scores(words, steps, torch.tensor([[1.0, 1.0, 0.0]])).tolist() == [[2.0]]
    assert word_scores(words, steps, torch.ones(1, 3)).tolist() == [[3.0]]


def test_others_states_are_read_and_another_model_is_refused(tmp_path):
    folder, other = str(tiny.bert(tmp_path / "bert")), str(tiny.bert(tmp_path / "other", seed=1))
    reader = new_reader(folder, None, (), silent)
    assert (reader.width, reader.pieces) == (tiny.WIDTH, 0)
    assert encoders(reader).embed(TEXTS[1]).shape == (WIDTH,)
    again = trained_reader(reader.facts, folder, None, silent)
    np.testing.assert_array_equal(again.rows("a dog"), reader.rows("a dog"))
    with pytest.raises(WrongUsageError, match="--set text="):
        trained_reader(reader.facts, other, None, silent)


def test_own_words_come_back_from_their_facts():
    reader = new_reader("", None, TEXTS, silent)
    again = trained_reader(reader.facts, "", None, silent)
    assert again.pieces == reader.pieces
    np.testing.assert_array_equal(again.rows(TEXTS[1]), reader.rows(TEXTS[1]))


def test_negatives_are_the_foil_then_rivals_then_any_video():
    pairs = [
        TextVideoPair((Weighted("x", 1.0),), "gold", "foil", ("r1", "r2")),
        TextVideoPair((Weighted("y", 1.0),), "other"),
    ]
    videos, draws = HardNegatives(pairs), np.random.default_rng(0)
    seen = set()
    for _ in range(20):
        names = [videos.ids[number] for number in videos.draw(pairs[0], 2, draws)]
        assert names[0] == "foil"
        seen.add(names[1])
        assert len(videos.draw(pairs[1], 3, draws)) == 3
    assert seen == {"r1", "r2"}
    assert videos.ids[:2] == ["gold", "other"]
    assert videos.draw(pairs[0], 0, draws) == []


def test_the_gold_video_is_no_negative_of_itself():
    logits = torch.randn(2, 4, generator=torch.Generator().manual_seed(3)).double()
    videos = torch.tensor([5, 6, 5, 9])
    rivals = [[0, 1, 3], [1, 0, 2, 3]]
    text = [logits[at, of].logsumexp(0) - logits[at, at] for at, of in enumerate(rivals)]
    video = [logits[:, at].logsumexp(0) - logits[at, at] for at in range(2)]
    hand = sum(text) / 4 + sum(video) / 4
    assert float(contrastive_loss(logits, videos)) == pytest.approx(float(hand))


def test_pairs_hold_the_turns_other_candidates_and_moments_if_asked():
    turns = (Turn("d", 1, 1, "en", "video", "a"), Turn("d", 2, 1, "en", "moment", "b"))
    gold = (Gold("d", 1, "a.mp4", foil="f.mp4"), Gold("d", 2, "b.mp4"))
    labels = LabelledSplit(turns, gold, {turns[0].key: ("c.mp4", "a.mp4", "f.mp4", "e.mp4")})
    (pair,) = training_pairs(labels, "last")
    assert (pair.video_id, pair.foil, pair.rivals) == ("a.mp4", "f.mp4", ("c.mp4", "e.mp4"))
    both = training_pairs(labels, "last", moments=True)
    assert [each.video_id for each in both] == ["a.mp4", "b.mp4"]
    (kept,) = pairs_with_videos(both, {"a.mp4", "e.mp4"})
    assert (kept.foil, kept.rivals) == (None, ("e.mp4",))
