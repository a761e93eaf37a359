"""The losses against enumeration, against the losses of torch and transformers, as published."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from baselines.interllava import losses
from baselines.interllava.losses import IGNORE_INDEX, AnswerSpan, NumberTokens

# Tokens 1 to 9 are those digits, 10 is "0"; numbers 1 to 12.
DIGITS = tuple((n,) if n < 10 else (n // 10, n % 10 or 10) for n in range(1, 13))


def test_lm_loss_is_the_loss_of_transformers():
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=11, hidden_size=8, intermediate_size=8,
                                         num_hidden_layers=1, num_attention_heads=2))  # fmt: skip
    ids = torch.randint(11, (3, 7))
    labels = ids.masked_fill(torch.rand(3, 7) < 0.4, IGNORE_INDEX)
    output = model(ids, labels=labels)
    torch.testing.assert_close(losses.lm_loss(output.logits, labels), output.loss)


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_probabilities_of_all_numbers_sum_to_one(seed, count):
    logits = torch.randn(3, 12, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    parts = [losses.candidate_loss(logits, n, DIGITS[:count]) for n in range(1, count + 1)]
    assert sum(math.exp(-part) for part in parts) == pytest.approx(1)


def test_candidate_loss_of_single_tokens_is_cross_entropy():
    logits = torch.randn(2, 12)
    for number in range(1, 10):
        expected = torch.nn.functional.cross_entropy(logits[:1, 1:10], torch.tensor([number - 1]))
        torch.testing.assert_close(losses.candidate_loss(logits, number, DIGITS[:9]), expected)


def test_candidate_loss_of_ten_compares_both_digits():
    """By hand: 1 among the digits, then 0 of everything; 1 alone: then anything but 0."""
    logits = torch.randn(3, 12)
    first = logits[0, 1:10].log_softmax(0)[0]
    zero = logits[1].softmax(0)[10]
    ten, one = (losses.candidate_loss(logits, n, DIGITS[:10]) for n in (10, 1))
    torch.testing.assert_close(ten, -first - zero.log())
    torch.testing.assert_close(one, -first - (1 - zero).log())


def iou(one, other):
    """IoU of two spans of whole seconds, by counting seconds."""
    one, other = set(range(*sorted(one))), set(range(*sorted(other)))
    return len(one & other) / len(one | other)


def distance(start, end, gold):
    start, end = (torch.tensor(float(at)) for at in (start, end))
    return float(losses.span_distance(start, end, gold))


@given(*[st.integers(0, 50) for _ in range(4)])
def test_span_distance_is_one_minus_the_iou_of_counted_seconds(start, end, low, high):
    if start == end or low >= high:
        return
    common = iou((start, end), (low, high))
    found = distance(start, end, (low, high))
    assert found == pytest.approx(1 - common, abs=1e-6) if common else found >= 1


def test_the_nearer_span_is_the_better_one():
    found = [distance(at, at + 1, (5.0, 8.0)) for at in (0.0, 1.0, 3.0, 4.5, 5.0)]
    assert found == sorted(found, reverse=True)
    assert len({*found}) == 5


def test_numbers_in_digits_have_the_product_of_their_digits_probabilities():
    logits = torch.randn(6, 12)
    digits = {n % 10 or 10: float(n % 10) for n in range(10)}
    # "12.5" at positions 1, 2 and 4: the logits of the position before predict each.
    numbers, shares = losses.number_distribution(logits, ((1, 10.0), (2, 1.0), (4, 0.1)), digits)
    assert sorted(numbers.tolist()) == pytest.approx([n / 10 for n in range(1000)], abs=1e-4)
    assert shares.sum().item() == pytest.approx(1, abs=1e-5)
    tokens = list(digits)
    by_hand = [logits[at, tokens].softmax(0)[tokens.index(token)]
               for at, token in ((0, 1), (1, 2), (3, 5))]  # fmt: skip
    at = (numbers - 12.5).abs().argmin()
    assert shares[at].item() == pytest.approx(torch.stack(by_hand).prod().item(), rel=1e-4)


def test_the_loss_of_a_span_is_the_expected_distance():
    """By enumeration: all starts with the gold end, all ends with the gold start."""
    torch.manual_seed(0)
    logits, digits = torch.randn(6, 12), {n: float(n) for n in range(1, 10)}
    answer = AnswerSpan(None, ((2, 1.0),), ((4, 1.0),), (2.0, 5.0))
    start, end = (logits[at, 1:10].softmax(0).tolist() for at in (1, 3))
    of_starts = sum(start[n - 1] * (1 - iou((n, 5), (2, 5))) for n in range(1, 10))
    of_ends = sum(end[n - 1] * (1 - iou((2, n), (2, 5))) for n in range(1, 10))
    loss = losses.span_loss(logits, answer, digits)
    assert loss.item() == pytest.approx((of_starts + of_ends) / 2, abs=1e-5)


def test_a_span_loss_needs_a_span():
    with pytest.raises(ValueError, match="expected an answer with a span"):
        losses.span_loss(torch.zeros(6, 12), AnswerSpan((2, 3)), {1: 1.0})


def test_a_start_that_is_early_as_often_as_late_is_not_right():
    logits, digits = torch.full((6, 12), -50.0), {n: float(n) for n in range(1, 10)}
    answer = AnswerSpan(None, ((2, 1.0),), ((4, 1.0),), (4.0, 8.0))
    logits[3, 8] = 50.0
    logits[1, 4] = 50.0
    assert losses.span_loss(logits, answer, digits).item() == pytest.approx(0, abs=1e-5)
    logits[1, 4], logits[1, 2], logits[1, 6] = -50.0, 50.0, 50.0  # 2 and 6: 4 in the mean
    assert losses.span_loss(logits, answer, digits).item() > 0.2


def examples():
    numbers = NumberTokens(DIGITS[:10], {n: float(n) for n in range(1, 10)})
    answers = [AnswerSpan((2, 3)), AnswerSpan(None, ((2, 1.0),), ((4, 1.0),), (2.0, 5.0))]
    return answers, numbers


def test_number_loss_and_span_loss_have_gradients_and_go_down():
    answers, numbers = examples()
    logits = torch.randn(2, 6, 12, generator=torch.Generator().manual_seed(1)).requires_grad_()
    optimizer = torch.optim.Adam([logits], 0.3)
    values = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = losses.auxiliary_loss(logits, answers, numbers)
        loss.backward()
        values.append(loss.item())
        optimizer.step()
    assert values[-1] < 0.1 < values[0]
    assert logits.grad[0, 1].any(), "the position before a number predicts it"
    assert not logits.grad[0, 2:].any()


def test_the_published_form_reads_the_most_likely_text():
    answers, _ = examples()
    right = losses.argmax_loss(["It is video 3.", "at 2.0s-5.0s"], answers, 10)
    wrong = losses.argmax_loss(["It is video 4.", "at 2.0s-3.0s"], answers, 10)
    scores = torch.full((1, 10), 0.01)
    scores[0, 3] = 10
    missed = float(torch.nn.functional.cross_entropy(scores, torch.tensor([2])))
    assert right < 0.001
    assert wrong == pytest.approx((missed + 2 / 3) / 2)
    # As published: what cannot be read costs nothing at all.
    assert losses.argmax_loss(["no idea", "no idea"], answers, 10) == 0
    assert losses.argmax_loss(["video 0", ""], answers, 10) == 0
