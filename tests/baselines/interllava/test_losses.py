"""The losses against enumeration, against torch's and transformers' own, and as published."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from baselines.interllava import losses
from baselines.interllava.losses import IGNORED, Spelling, Spelt

# Tokens 1 to 9 are those digits, 10 is "0"; numbers 1 to 12.
DIGITS = tuple((n,) if n < 10 else (n // 10, n % 10 or 10) for n in range(1, 13))


def test_the_loss_of_words_is_the_library_s():
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=11, hidden_size=8, intermediate_size=8,
                                         num_hidden_layers=1, num_attention_heads=2))  # fmt: skip
    ids = torch.randint(11, (3, 7))
    labels = ids.masked_fill(torch.rand(3, 7) < 0.4, IGNORED)
    said = model(ids, labels=labels)
    torch.testing.assert_close(losses.of_words(said.logits, labels), said.loss)


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_probabilities_of_all_numbers_sum_to_one(seed, count):
    logits = torch.randn(3, 12, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    parts = [losses.of_number(logits, n, DIGITS[:count]) for n in range(1, count + 1)]
    assert sum(math.exp(-part) for part in parts) == pytest.approx(1)


def test_of_single_tokens_it_is_cross_entropy():
    logits = torch.randn(2, 12)
    for number in range(1, 10):
        expected = torch.nn.functional.cross_entropy(logits[:1, 1:10], torch.tensor([number - 1]))
        torch.testing.assert_close(losses.of_number(logits, number, DIGITS[:9]), expected)


def test_of_ten_it_asks_at_both_digits():
    """By hand: 1 among the digits, then 0 of everything; 1 alone: then anything but 0."""
    logits = torch.randn(3, 12)
    first = logits[0, 1:10].log_softmax(0)[0]
    zero = logits[1].softmax(0)[10]
    ten, one = (losses.of_number(logits, n, DIGITS[:10]) for n in (10, 1))
    torch.testing.assert_close(ten, -first - zero.log())
    torch.testing.assert_close(one, -first - (1 - zero).log())


@given(*[st.integers(0, 50) for _ in range(4)])
def test_apart_is_one_less_the_official_overlap(a, b, c, d):
    (start, end), (low, high) = sorted((a, b)), sorted((c, d))
    if start == end or low == high:
        return
    told = [torch.tensor(float(at)) for at in (start, end)]
    found = float(losses.apart(*told, (low, high)))
    common = min(end, high) - max(start, low)
    if common > 0:
        assert found == pytest.approx(1 - common / (max(end, high) - min(start, low)), abs=1e-6)
    else:
        assert found >= 1
    turned = losses.apart(*told[::-1], (low, high))
    assert float(turned) == pytest.approx(found), "spans are put in order, as officially"


def test_the_nearer_span_is_the_better_one():
    found = [float(losses.apart(torch.tensor(at), torch.tensor(at + 1), (5.0, 8.0)))
             for at in (0.0, 1.0, 3.0, 4.5, 5.0)]  # fmt: skip
    assert found == sorted(found, reverse=True)
    assert len({*found}) == 5


def test_numbers_spelt_in_digits_have_the_product_of_their_digits_probabilities():
    logits = torch.randn(6, 12)
    digits = {n % 10 or 10: float(n % 10) for n in range(10)}
    # "12.5" at places 1, 2 and 4: each is told by the logits of the place before.
    numbers, shares = losses.spread(logits, ((1, 10.0), (2, 1.0), (4, 0.1)), digits)
    assert sorted(numbers.tolist()) == pytest.approx([n / 10 for n in range(1000)], abs=1e-4)
    assert shares.sum().item() == pytest.approx(1, abs=1e-5)
    tokens = list(digits)
    by_hand = [logits[at, tokens].softmax(0)[tokens.index(token)]
               for at, token in ((0, 1), (1, 2), (3, 5))]  # fmt: skip
    at = (numbers - 12.5).abs().argmin()
    assert shares[at].item() == pytest.approx(torch.stack(by_hand).prod().item(), rel=1e-4)


def test_the_loss_of_a_span_is_what_is_to_be_expected():
    """By enumeration: all starts with the gold end, all ends with the gold start."""
    torch.manual_seed(0)
    logits, digits = torch.randn(6, 12), {n: float(n) for n in range(1, 10)}
    found = Spelt(None, ((2, 1.0),), ((4, 1.0),), (2.0, 5.0))
    start, end = (logits[at, 1:10].softmax(0) for at in (1, 3))

    def apart(*span):
        return losses.apart(*(torch.tensor(float(at)) for at in span), (2.0, 5.0))

    expected = sum(start[n - 1] * apart(n, 5) + end[n - 1] * apart(2, n) for n in range(1, 10)) / 2
    torch.testing.assert_close(losses.of_span(logits, found, digits), expected)


def test_a_start_that_is_early_as_often_as_late_is_not_right():
    logits, digits = torch.full((6, 12), -50.0), {n: float(n) for n in range(1, 10)}
    found = Spelt(None, ((2, 1.0),), ((4, 1.0),), (4.0, 8.0))
    logits[3, 8] = 50.0
    logits[1, 4] = 50.0
    assert losses.of_span(logits, found, digits).item() == pytest.approx(0, abs=1e-5)
    logits[1, 4], logits[1, 2], logits[1, 6] = -50.0, 50.0, 50.0  # 2 and 6: 4 in the mean
    assert losses.of_span(logits, found, digits).item() > 0.2


def examples():
    spelling = Spelling(DIGITS[:10], {n: float(n) for n in range(1, 10)})
    found = [Spelt((2, 3)), Spelt(None, ((2, 1.0),), ((4, 1.0),), (2.0, 5.0))]
    return found, spelling


def test_both_further_losses_have_gradients_and_go_down():
    found, spelling = examples()
    logits = torch.randn(2, 6, 12, generator=torch.Generator().manual_seed(1)).requires_grad_()
    optimizer = torch.optim.Adam([logits], 0.3)
    told = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = losses.spelt(logits, found, spelling)
        loss.backward()
        told.append(loss.item())
        optimizer.step()
    assert told[-1] < 0.1 < told[0]
    assert logits.grad[0, 1].any(), "the number is told by the place before it"
    assert not logits.grad[0, 2:].any()


def test_the_published_form_reads_the_likeliest_text():
    found, _ = examples()
    right = losses.argmax(["It is video 3.", "at 2.0s-5.0s"], found, 10)
    wrong = losses.argmax(["It is video 4.", "at 2.0s-3.0s"], found, 10)
    scores = torch.full((1, 10), 0.01)
    scores[0, 3] = 10
    missed = float(torch.nn.functional.cross_entropy(scores, torch.tensor([2])))
    assert right < 0.001
    assert wrong == pytest.approx((missed + 2 / 3) / 2)
    # As published: what cannot be read costs nothing at all.
    assert losses.argmax(["no idea", "no idea"], found, 10) == 0
    assert losses.argmax(["video 0", ""], found, 10) == 0
