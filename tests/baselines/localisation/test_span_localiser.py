"""The losses of a localiser that is trained on gold spans, and its networks."""

import math

import numpy as np
import pytest
import torch

from baselines.localisation.heads import STEPS
from baselines.localisation.question_reader import COMPARED
from baselines.localisation.span_localiser import (
    LocaliserInputs,
    MomentBatch,
    SpanLocaliser,
    inside_steps,
    span_loss,
    step_loss,
)
from baselines.localisers.moment_detr import MomentDecoder
from baselines.localisers.tan2d import SpanMap
from baselines.networks.text_network import PaddedTokens, collate_tokens


def test_a_step_counts_by_its_share_in_the_span():
    inside = inside_steps(torch.tensor([[1.5 / STEPS, 4 / STEPS], [0, 1]]))
    assert inside[0, :6].tolist() == pytest.approx([0, 0.5, 1, 1, 0, 0], abs=1e-5)
    assert inside[1].sum().item() == pytest.approx(STEPS)


def test_the_step_loss_of_blind_steps_is_that_of_a_guess():
    steps, roles = torch.zeros(2, STEPS, 3), torch.ones(2, 3)
    inside = inside_steps(torch.tensor([[0.2, 0.4], [0.0, 0.1]]))
    assert step_loss(steps, roles, inside).item() == pytest.approx(math.log(STEPS))
    inside = inside_steps(torch.tensor([[8 / STEPS, 16 / STEPS]]))
    found = step_loss(30 * inside[..., None], torch.ones(1, 1), inside)
    assert found.item() == pytest.approx(math.log(8), abs=1e-3), "the span's steps share the gold"


def test_the_span_loss_falls_where_each_span_agrees_with_its_own_question():
    inside = inside_steps(torch.tensor([[0.0, 0.2], [0.5, 0.8], [0.1, 0.9]]))
    roles = torch.eye(3) * 20
    steps = torch.eye(3)[:, None].expand(3, STEPS, 3)
    owner = torch.arange(3)
    assert span_loss(steps, roles, inside, owner).item() < 1e-3
    assert span_loss(steps[[1, 2, 0]], roles, inside, owner).item() > 10


def test_two_questions_about_one_event_are_no_negatives_of_each_other():
    gold = torch.tensor([[0.2, 0.5], [0.22, 0.5], [0.2, 0.5]])
    inside, steps = inside_steps(gold), torch.ones(3, STEPS, 1)
    roles = torch.ones(3, 1)
    alone = span_loss(steps, roles, inside, torch.tensor([0, 0, 0]))
    assert alone.item() == pytest.approx(0, abs=1e-5)
    others = span_loss(steps, roles, inside, torch.tensor([0, 0, 1]))
    assert others.item() == pytest.approx((2 * math.log(2) + math.log(3)) / 3, rel=1e-4)


@pytest.fixture(params=[SpanMap, MomentDecoder])
def localiser(request):
    torch.manual_seed(0)
    return SpanLocaliser(LocaliserInputs(5, 40, 0), request.param()).eval()


def texts(generator, *sizes):
    return [generator.integers(1, 40, (size, 16)) for size in sizes]


def test_an_answer_depends_on_its_own_question_and_video_alone(localiser):
    generator = np.random.default_rng(0)
    questions = texts(generator, 4, 9, 1)
    steps = torch.from_numpy(generator.normal(size=(3, STEPS, 5)).astype(np.float32))
    with torch.inference_mode():
        spans, scores = localiser.spans(steps, collate_tokens(questions))
        for at, question in enumerate(questions):
            own = localiser.spans(steps[at : at + 1], collate_tokens([question]))
            assert torch.allclose(own[0][0], spans[at], atol=1e-5)
            assert torch.allclose(own[1][0], scores[at], atol=1e-4)


def test_every_network_learns_from_a_batch(localiser):
    generator = np.random.default_rng(0)
    localiser.train()
    tokens = collate_tokens(texts(generator, 4, 6, 5))
    batch = MomentBatch(
        torch.from_numpy(generator.normal(size=(2, STEPS, 5)).astype(np.float32)),
        *tokens,
        torch.tensor([0, 1, 0]),
        torch.tensor([[0.1, 0.4], [0.5, 0.9], [0.2, 0.3]]),
    )
    localiser.loss(batch).backward()
    idle = {
        name
        for name, weight in localiser.named_parameters()
        if weight.grad is None or not weight.grad.abs().sum()
    }
    assert idle == set()


def test_a_role_is_the_weighted_sum_of_its_words(localiser):
    reader, question = localiser.reader, texts(np.random.default_rng(0), 3)
    encoded = localiser.text(PaddedTokens(*collate_tokens(question)))
    words, weights = reader.words(encoded)[0], reader.word_weights(encoded)[0]
    expected = torch.stack(
        [sum(weights[at, role] * words[at] for at in range(3)) for role in range(4)]
    )
    assert expected.shape == (4, COMPARED)
    assert torch.allclose(reader.roles(encoded)[0], expected, atol=1e-5)
