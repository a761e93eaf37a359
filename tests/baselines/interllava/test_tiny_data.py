"""The tiny configuration's examples: candidates in random order, hard negatives, marks."""

from collections import Counter

import numpy as np
import pytest
import torch

from baselines.base import Query
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.matching import Matcher, SegmentFeatures
from baselines.event_models.query_encoder import TokenizedText
from baselines.interllava import prompts
from baselines.interllava.tiny.tiny_checkpoint import TinyNetworks
from baselines.interllava.tiny.tiny_data import add_negatives
from baselines.interllava.tiny.tiny_examples import (
    BATCH_SIZE,
    CHAT_EVERY,
    ExampleSampler,
    SearchTurn,
    TinyTrainingData,
)
from baselines.interllava.tiny.tiny_frame_encoder import CandidateFeatures
from baselines.interllava.tokenizer import build_vocabulary
from baselines.interllava.video_marks import FIRST, GOLD, INSIDE, LAST, candidate_marks, step_marks
from baselines.localisation.heads import STEPS

NAMES = [f"v{at}" for at in range(12)]
TEXT = TokenizedText((1,), (-1,), (0,))
VALUES = 2


def features(at):
    """A video that its length tells from all others."""
    rows = np.full((8, VALUES), 0.5, np.float32)
    return CandidateFeatures(rows, SegmentFeatures(rows[:1], np.array([1.0])), at)


def query(task="video"):
    return Query("d", 1, "en", task, "the dog")


def training_data(searches, chats=()):
    return TinyTrainingData(
        {name: features(at) for at, name in enumerate(NAMES)}, (), np.zeros(0), searches,
        lambda step, rng: [], [], chats, {("en", "video"): ["It is video 1."]},
    )  # fmt: skip


def draw(searches, batches=20):
    sampler = ExampleSampler(training_data(searches))
    return [each for at in range(batches) for each in sampler(1, np.random.default_rng(at))]


def search(foil=None, negatives=NAMES[1:11]):
    return SearchTurn(query(), TEXT, NAMES[0], foil, tuple(NAMES[:4]), tuple(negatives))


def test_the_answer_names_the_position_of_the_gold_video():
    numbers = Counter()
    for example in draw([search()]):
        position = [video.length for video in example.candidates].index(0) + 1
        assert example.answer == f"It is video {position}."
        assert example.number == position
        numbers[position] += 1
    assert set(numbers) == set(range(1, 11)), "the gold video stands at every position"


def test_candidates_are_the_given_ones_or_hard_negatives():
    sizes = Counter(len(example.candidates) for example in draw([search()]))
    assert set(sizes) == {4, 10}
    assert sizes[4] / sizes.total() == pytest.approx(0.5, abs=0.1)


def test_the_foil_is_among_the_candidates_more_often_than_not():
    examples = draw([search(foil=NAMES[11])])
    share = np.mean([11 in [video.length for video in each.candidates] for each in examples])
    assert share == pytest.approx(0.7, abs=0.1)


def test_chat_turns_come_once_in_a_while():
    chats = [(query("chat"), "Hello.")]
    sampler = ExampleSampler(training_data([search()], chats))
    steps = range(1, 3 * CHAT_EVERY, 2)
    tasks = [sampler(step, np.random.default_rng(0))[0].query.task for step in steps]
    assert [step for step, task in zip(steps, tasks, strict=True) if task == "chat"] == [15, 31, 47]
    silent = ExampleSampler(training_data([search()], chats), with_chats=False)
    assert silent(CHAT_EVERY - 1, np.random.default_rng(0))[0].query.task == "video"
    assert len(sampler(1, np.random.default_rng(0))) == BATCH_SIZE


def test_hard_negatives_are_the_best_by_the_matcher_without_the_gold_video():
    """A matcher whose score is a video's second value, whatever the text says."""
    videos = {}
    for at, name in enumerate(NAMES):
        values = np.array([[0.5, at / 12]], np.float32)
        videos[name] = CandidateFeatures(values, SegmentFeatures(values, np.array([1.0])), at)
    matcher = Matcher(inputs=4, values=VALUES).eval()
    with torch.no_grad():
        for weight in matcher.parameters():
            weight.zero_()
        matcher.whole.bias[-VALUES - 1] = 1.0  # of the whole video's mean of the second value
    turns = [search()._replace(gold=name) for name in NAMES]
    found = add_negatives(turns, matcher, videos)
    assert found[3].negatives == tuple(name for name in reversed(NAMES) if name != NAMES[3])


def test_marks_of_candidates_name_the_gold_one():
    marks = candidate_marks([(2, 3), (1, 2)], 4)
    tokens = marks[:, GOLD].view(5, -1)
    assert [row.unique().tolist() for row in tokens] == [[0], [1], [0], [1], [0]]
    assert not marks[:, [INSIDE, FIRST, LAST]].any()


def test_marks_of_steps_name_the_inside_and_its_ends():
    marks = step_marks([np.array([0.25, 0.5], np.float32)])
    inside = marks[:, INSIDE].nonzero().flatten().tolist()
    assert inside == list(range(STEPS // 4, STEPS // 2))
    assert marks[:, FIRST].nonzero().flatten().tolist() == inside[:1]
    assert marks[:, LAST].nonzero().flatten().tolist() == inside[-1:]


def test_weights_have_the_names_of_trained_folders():
    """Trained folders hold these names: whoever changes one maps it for old folders."""
    vocabulary = build_vocabulary([prompts.TEMPLATES] * 2, 4_000)
    networks = TinyNetworks(Lexicon({}, {}, [0] * VALUES), VALUES, vocabulary)
    networks.add_lora()
    names = [name.split(".") for name in networks.state_dict()]
    assert {name[0] for name in names} == {"matcher", "grounder", "tiny"}
    assert {".".join(name[1:3]) for name in names if name[0] == "tiny"} == {
        "choosing.parts", "choosing.norm", "grounding.parts", "grounding.norm", "marks",
        "net.tokens", "net.language",
    }  # fmt: skip
    assert {name[3] for name in names if name[:3] == ["tiny", "net", "tokens"]} == {
        "query_tokens", "qformer", "positions", "video_query_tokens", "video_qformer", "projection",
    }  # fmt: skip
    assert {".".join(name[2:]) for name in names if name[:2] == ["grounder", "head"]} == {
        "layer.weight", "layer.bias",
    }  # fmt: skip
