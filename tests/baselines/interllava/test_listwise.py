"""The small InterLLaVA on features: examples, tokens, three turns learned by heart."""

from itertools import permutations

import numpy as np
import pytest
import torch

from baselines.base import LabelledSplit, Query
from baselines.interllava import prompts
from baselines.interllava.listwise import listwise_pretraining
from baselines.interllava.listwise.listwise_data import choice_example, divide, list_turns
from baselines.interllava.listwise.listwise_examples import (
    ListTurn,
    ListwiseCollator,
    ListwiseSampler,
    ListwiseTurns,
    SpanTurn,
)
from baselines.interllava.listwise.listwise_network import NOT_TOLD, ListwiseNetwork
from baselines.interllava.listwise.listwise_pretraining import RankedLanguageModule, ReaderModule
from baselines.interllava.tokenizer import build_vocabulary, small_tokenizer
from baselines.interllava.training import InterLLaVAModule, LossConfig, generate_replies
from baselines.localisation.heads import STEPS
from baselines.localisation.span_localiser import LocaliserInputs
from baselines.localisation.video_steps import RowSource
from baselines.networks.vocabulary import Vocabulary
from harness.replies import candidate_number
from tests.baselines.conftest import CAT, COOK, DOG, FOX
from tests.baselines.features.folders import random_rows, row_times

WIDTH = 6
FRAMES = {CAT: 10, DOG: 20, FOX: 12, COOK: 40}


class Rows(dict):
    """Rows by video id, with their times."""

    @property
    def times(self):
        return {name: row_times(len(rows)) for name, rows in self.items()}


NAMES = [f"v{at}" for at in range(12)]
ROWS = Rows(random_rows(dict.fromkeys(NAMES, 8), WIDTH))
TEXTS = ["a red star", "a blue ball", "a green cross", "a pink heart"]


def query(text=TEXTS[0], candidates=(), task="video"):
    return Query("d", 1, "en", task, text, tuple(candidates))


def turn(gold, given, text=TEXTS[0]):
    return ListTurn(query(text, given), gold, tuple(given), tuple(range(1, len(given) + 1)))


def turns(*lists, spans=()):
    return ListwiseTurns(lists, spans, (), NAMES, {("en", "video"): ["It is video 1."]})


def draw(*lists, batches=20):
    sampler = ListwiseSampler(turns(*lists), RowSource(ROWS))
    return [each for at in range(batches) for each in sampler(1, np.random.default_rng(at))]


def parts(*, ranks=True):
    """A network without dropout, its tokenizer and its collator."""
    torch.manual_seed(0)
    words = [*TEXTS, "It is video 2.", "It is at 1.0s-2.0s.", prompts.TEMPLATES] * 2
    tokenizer = small_tokenizer(build_vocabulary(words, 8_000))
    vocabulary = Vocabulary.of_texts(TEXTS, least=1)
    network = ListwiseNetwork(LocaliserInputs(WIDTH, vocabulary.size, 0), tokenizer, ranks=ranks)
    collate = ListwiseCollator(tokenizer, vocabulary.encode, network.candidate_tokens)
    return network.eval(), tokenizer, collate


# Examples.


def test_the_order_is_drawn_anew_and_the_answer_names_the_gold_s_place():
    examples = draw(turn("v0", NAMES[:4]))
    for example in examples:
        assert example.answer == f"It is video {example.names.index('v0') + 1}."
        assert example.gold == example.names.index("v0") + 1
        assert example.numbers == tuple(range(1, len(example.names) + 1))
    given = {each.names for each in examples if len(each.names) == 4}
    assert len(given & set(permutations(NAMES[:4]))) > 20
    assert {len(each.names) for each in examples} == {4, 10}, "given ones, or ten at random"


def test_places_are_told_of_whole_lists_and_not_of_lists_the_gold_was_put_into():
    told = [each for each in draw(turn("v2", NAMES[:4])) if any(each.ranks)]
    assert 0.4 < len(told) / (20 * 16) < 0.7
    for example in told:
        assert example.ranks == tuple(NAMES.index(name) + 1 for name in example.names)
    put_in = draw(turn("v9", NAMES[:4]))
    assert {rank for each in put_in for rank in each.ranks} == {NOT_TOLD}
    assert all("v9" in each.names for each in put_in)


def test_unreadable_candidates_keep_no_place_but_the_others_theirs():
    split = LabelledSplit((), (type("G", (), {"video_id": "v2"})(),), {})
    [found] = list_turns([query(candidates=("v1", "gone", "v2"))], split, ROWS)
    assert (found.given, found.places) == (("v1", "v2"), (1, 3))
    example = choice_example(found.query, ROWS, ROWS)
    assert example.numbers == example.ranks == (1, 3)


def test_videos_held_out_from_the_reader_are_no_others():
    many = turns(*(turn(name, NAMES[:4]) for name in NAMES))
    reader, assistant = divide(many._replace(spans=[SpanTurn(query(), n, 0, 9) for n in NAMES]), 0)
    seen, held_out = ({each.gold for each in part.lists} for part in (reader, assistant))
    assert not seen & held_out
    assert seen | held_out == set(NAMES)
    assert {each.video_id for each in assistant.spans} == held_out
    assert divide(turns(turn("v0", NAMES)), 0).reader.lists, "one video trains both"


# The network.


@pytest.mark.parametrize("ranks", [True, False])
def test_candidates_in_another_order_have_the_same_tokens_in_that_order(ranks):
    network, _, collate = parts(ranks=ranks)
    order = [2, 0, 3, 1]
    example = choice_example(query(candidates=NAMES[:4]), ROWS, ROWS)
    moved = example._replace(
        videos=tuple(example.videos[at] for at in order),
        ranks=tuple(example.ranks[at] for at in order),
    )
    with torch.no_grad():
        one, other = (
            network.encode_frames(collate([each])).unflatten(0, (4, network.candidate_tokens))
            for each in (example, moved)
        )
    assert torch.allclose(one[order], other, atol=1e-5)
    assert not torch.allclose(one, other, atol=1e-3)


def test_the_answer_is_compared_over_all_candidates_and_reads_their_places():
    """The first word of the answer changes with each candidate, and with the places told."""
    network, _, collate = parts()
    example = choice_example(query(candidates=NAMES[:4]), ROWS, ROWS)
    changed = [
        example._replace(videos=(*example.videos[:at], ROWS["v9"][:1].repeat(STEPS, 0),
                                 *example.videos[at + 1 :]))
        for at in range(4)
    ]  # fmt: skip
    changed.append(example._replace(ranks=(NOT_TOLD,) * 4))

    def last(each):
        batch = collate([each])
        return network.net(batch.tokens, network.encode_frames(batch))[0, -1]

    with torch.no_grad():
        plain = last(example)
        assert [bool(torch.allclose(plain, last(each), atol=1e-7)) for each in changed] == [
            False
        ] * 5


def test_three_turns_are_learned_by_heart_in_any_order_of_candidates(monkeypatch):
    """By all three stages' losses; the answer names the gold video wherever it stands."""
    monkeypatch.setattr(listwise_pretraining, "CHOICE_NOISE", 0.1)
    network, tokenizer, collate = parts()
    names, texts = NAMES[:3], TEXTS[:3]
    lists = [turn(name, names, text) for name, text in zip(names, texts, strict=True)]
    sampler = ListwiseSampler(turns(*lists)._replace(pool=names), RowSource(ROWS), size=8)
    frames, language = ([*each.parameters()] for each in (network.frames, network.net.language))
    stages = (
        (ReaderModule(network), frames, 20),
        (RankedLanguageModule(network, tokenizer, "spelt"), language, 90),
        (InterLLaVAModule(network, tokenizer, LossConfig("spelt", 1.0, 0, 0)), language, 30),
    )
    for module, trained, steps in stages:
        optimizer = torch.optim.AdamW(trained, 4e-3)
        for step in range(steps):
            batch = collate(sampler(1, np.random.default_rng(step)))
            optimizer.zero_grad()
            module.training_step(batch, step).backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
    correct = []
    for order in permutations(names):
        asked = [
            choice_example(query(text, order), ROWS, ROWS)._replace(ranks=(NOT_TOLD,) * 3)
            for text in texts
        ]
        replies = generate_replies(network, tokenizer, collate(asked))
        correct += [
            candidate_number(reply, 3).value == order.index(name) + 1
            for reply, name in zip(replies, names, strict=True)
        ]
    assert sum(correct) >= 16, f"{sum(correct)} of 18"
