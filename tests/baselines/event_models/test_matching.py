"""The matcher's score, computed by hand, and the texts of a query in its context."""

from itertools import product

import numpy as np
import pytest
import torch

from baselines.base import Exchange, Query
from baselines.event_models.event_segments import PROBABILITY_FLOOR
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.matching import (
    SAME_SEGMENT,
    Matcher,
    SegmentFeatures,
    collate_videos,
    tokenize_query,
)
from baselines.event_models.query_encoder import collate_texts, tokenize_turns

KNOWN = Lexicon({"en": {"red": 0, "green": 1, "ball": 2}}, {"before": 3}, [0, 0, 1])
RANDOM = np.random.default_rng(0)
VIDEOS = [
    SegmentFeatures(RANDOM.random((n, 3), np.float32), RANDOM.uniform(1, 7, n)) for n in (1, 2, 4)
]


@pytest.fixture(scope="module")
def matcher():
    torch.manual_seed(0)
    made = Matcher(KNOWN.size, 3).eval()
    for weights in made.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    return made


def by_hand(weights, video):
    """The score of one query and one video, pair by pair."""
    floor = PROBABILITY_FLOOR
    shows = (np.log(video.values + floor) - np.log(floor)) / np.log1p(1 / floor)
    lengths, count = video.lengths, len(video.lengths)
    roles, relations, own, whole = (part[0].numpy() for part in weights)
    facts = [
        [np.log(lengths[i]) - 1, lengths[i] == max(lengths), lengths[i] == min(lengths), i == 0,
         i == count - 1]
        for i in range(count)
    ]  # fmt: skip
    fits = [[roles[r] @ shows[i] + own[r] @ facts[i] for i in range(count)] for r in range(4)]

    def pair(i, j):
        ratio = np.log(lengths[i] / lengths[j])
        related = [np.sign(j - i), 1.5 * np.tanh(ratio), np.tanh(4 * ratio)]
        same = SAME_SEGMENT if i == j else 0
        return fits[0][i] + fits[1][j] + relations @ related + same

    counts = [float(min(count, 7) == n) for n in range(1, 8)]
    facts = [*counts, np.log(lengths).mean() - 1, *video.values.mean(0), *video.values.min(0)]
    best = max(pair(i, j) for i, j in product(range(count), repeat=2))
    return best + max(fits[2]) + max(fits[3]) + whole @ facts


def weights_of(matcher, utterance):
    with torch.inference_mode():
        return matcher.query_weights(collate_texts([tokenize_turns(KNOWN, [(utterance, "en", 0)])]))


def test_scores_are_those_of_the_best_pair_and_the_best_single_segments(matcher):
    weights = weights_of(matcher, "red ball before green")
    with torch.inference_mode():
        scores = matcher.scores(weights, collate_videos(VIDEOS))[0] / (matcher.scale.exp() / 4)
    assert scores.tolist() == pytest.approx([by_hand(weights, each) for each in VIDEOS], rel=1e-4)


def test_a_later_segment_is_positive_in_the_relation_of_order():
    batch = collate_videos([VIDEOS[2]])
    assert batch.relations[0, :, :, 0].tolist() == [
        [0, 1, 1, 1],
        [-1, 0, 1, 1],
        [-1, -1, 0, 1],
        [-1, -1, -1, 0],
    ]


def test_a_video_has_the_same_score_in_any_batch(matcher):
    weights = weights_of(matcher, "green ball")
    with torch.inference_mode():
        batched = matcher.scores(weights, collate_videos(VIDEOS))[0]
        alone = [matcher.scores(weights, collate_videos([each]))[0, 0] for each in VIDEOS]
    assert batched.tolist() == pytest.approx([float(each) for each in alone], rel=1e-5)


def query(*utterances, shown=None):
    history = tuple(Exchange("video", each, "", shown, ()) for each in utterances[:-1])
    return Query("d", len(utterances), "en", "video", utterances[-1], history=history)


def test_context_is_read_as_it_is_set():
    made = query("red", "green ball", shown="v")
    [(last, weight)] = tokenize_query(KNOWN, made, "last", {"v": (2,)})
    assert (last.values, weight) == ((1, 2), 1.0)
    [(whole, _)] = tokenize_query(KNOWN, made, "all", {"v": (2,)})
    assert whole.values == (2, 0, 1, 2)  # the values of the video shown, then the turns
    decayed = tokenize_query(KNOWN, made, "decayed", {})
    assert [(each.values, weight) for each, weight in decayed] == [((0,), 0.5), ((1, 2), 1.0)]
