"""What a matcher is trained on: batches with foils, and the loss."""

import math

import numpy as np
import pytest
import torch

from baselines.event_models.event_annotations import Attribute
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.matching import Matcher, SegmentFeatures
from baselines.event_models.matching_data import MatchingData, MatchingExample
from baselines.event_models.matching_sampler import MatchingSampler, collate_samples
from baselines.event_models.matching_training import MatchingModule
from baselines.event_models.query_encoder import tokenize_turns

KNOWN = Lexicon({"en": {"red": 0, "green": 1, "ball": 2}}, {"before": 3}, [0, 0, 1])


def data(foiled=True, ordered=False):
    """One query whose gold and foil differ in the lengths of two events, and another video."""
    shows = np.eye(3, dtype=np.float32)
    events = {
        "gold": SegmentFeatures(shows, np.array([1.0, 2.0, 3.0])),
        "foil": SegmentFeatures(shows, np.array([2.0, 1.0, 3.0])),
        "third": SegmentFeatures(np.full((1, 3), 0.5, np.float32), np.array([9.0])),
    }
    text = tokenize_turns(KNOWN, [("red", "en", 0)])
    example = MatchingExample(text, text, "gold", "foil" if foiled else None, ordered)
    attributes = (Attribute("all", True, ("a", "b", "c"), 0),)
    return MatchingData(KNOWN, [example], [], events, events, attributes, np.zeros(1))


@pytest.mark.parametrize("ordered", [False, True])
def test_gold_and_foil_are_changed_in_the_same_way(ordered):
    sampler, orders, counts = MatchingSampler(data(ordered=ordered), "last"), set(), set()
    for seed in range(40):
        sample = sampler(0, np.random.default_rng(seed))[0]
        gold, foil = sample.gold_video, sample.foil_video
        assert np.array_equal(gold.values, foil.values)
        ratio = gold.lengths / foil.lengths
        firsts = gold.values.argmax(1)
        counts.add(len(ratio))
        # events 0 and 1 have exchanged lengths; all others have the same in both
        changed = [(int(firsts[i]), round(float(r), 6)) for i, r in enumerate(ratio) if r != 1]
        assert sorted(changed) == [(0, 0.5), (1, 2.0)]
        orders.add(changed[0][0])
    assert counts == {3, 4}, "some samples have an event of another video in both"
    assert (len(orders) > 1) is not ordered


def test_without_foils_no_query_has_one():
    samples = MatchingSampler(data(foiled=False), "last")(0, np.random.default_rng(0))
    assert len(samples) == 48
    assert all(each.foil is None and each.foil_video is None for each in samples)


def step(scores, numbers, with_foil):
    """The loss of a module whose matcher gives these scores, (queries, videos)."""

    class Given(torch.nn.Module):
        def query_weights(self, texts):
            return None

        def scores(self, weights, videos):
            return torch.tensor(scores)

    batch = collate_samples(MatchingSampler(data(), "last")(0, np.random.default_rng(0)))
    batch = batch._replace(
        numbers=torch.tensor(numbers), with_foil=torch.tensor(with_foil, dtype=torch.int64)
    )
    return MatchingModule(Given(), data(), "last").training_step(batch, 0).item()


def test_the_loss_of_two_queries_is_info_nce():
    # Each gold has twice the weight of the other video: -ln(2 / 3).
    scores = [[math.log(2), 0.0], [0.0, math.log(2)]]
    assert step(scores, [0, 1], []) == pytest.approx(math.log(3 / 2))


def test_the_same_video_of_another_query_is_no_negative():
    # Three queries, the first two of one video: each has one negative at most.
    scores = [[0.0, 5.0, 0.0], [5.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    losses = [math.log(2), math.log(2), math.log(3)]
    assert step(scores, [7, 7, 8], []) == pytest.approx(sum(losses) / 3)


def test_a_foil_is_a_negative_and_stands_behind_its_gold():
    # One query of two has a foil, which has three times the weight of its gold.
    scores = [[0.0, 0.0, 0.0], [0.0, 0.0, math.log(3)]]
    info_nce = (math.log(3) + math.log(5)) / 2
    behind = math.log(1 + 3)  # softplus(ln 3)
    assert step(scores, [0, 1, 2], [1]) == pytest.approx(info_nce + behind)


def test_samples_of_one_video_share_a_number_and_foils_come_last():
    batch = collate_samples(MatchingSampler(data(), "last")(0, np.random.default_rng(0)))
    assert batch.numbers.tolist() == [0] * 48 + [1] * 24
    assert batch.with_foil.tolist() == list(range(24))
    assert batch.videos.tokens.shape[0] == 72
    scores = Matcher(KNOWN.size, 3).eval()
    assert scores.scores(scores.query_weights(batch.texts), batch.videos).shape == (48, 72)
