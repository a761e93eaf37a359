"""InterLLaVA's losses on words, candidate number and span, differentiable and as published.

The paper's loss is the language model's cross entropy plus 0.01 times ((1 - IoU) + cross entropy
over the candidates' numbers). The published code reads number and span from the most likely text.
That has no gradient: it changes the logged loss and no weight. Here both are functions of the
probabilities of the tokens that write a number (the setting `losses=spelt`: numbers as they are
spelt, token by token). `losses=argmax` is the published form, for comparison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from harness.replies import published_rules

WEIGHT = 0.01  # of the number loss and the span loss, as published
IGNORE_INDEX = -100
_READ_LOGIT, _OTHER_LOGIT = 10.0, 0.01  # the published "logits" of the number read, of the others


class NumberTokens(NamedTuple):
    """How a tokenizer writes numbers.

    candidates: the token ids of each candidate's number, from number 1. digits: the value of each
    token id that is a digit, or a whole number where numbers are single tokens.
    """

    candidates: tuple[tuple[int, ...], ...]
    digits: Mapping[int, float]


class AnswerSpan(NamedTuple):
    """Where an answer writes the candidate's number and the span: positions in its token row.

    number: position of the number's first token, and the number. start, end: for each token of a
    time its position, and the place value of a digit there. span: the gold one in seconds.
    """

    number: tuple[int, int] | None = None
    start: tuple[tuple[int, float], ...] = ()
    end: tuple[tuple[int, float], ...] = ()
    span: tuple[float, float] | None = None


def lm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of the next token; logits (n, tokens, v), labels (n, tokens)."""
    return nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORE_INDEX
    )


def candidate_loss(logits: Tensor, number: int, candidates: Sequence[tuple[int, ...]]) -> Tensor:
    """-log of the probability of `number` (from 1) among the candidates' numbers: a scalar.

    logits: (tokens, v), starting where the number's first token is predicted. Each token is
    compared with the tokens of those numbers that share its prefix. Where one number ends and
    another continues, the end has the probability that no token continues.
    """
    gold = candidates[number - 1]
    parts = [logits.new_zeros(())]
    for at, token in enumerate([*gold, None]):
        same_prefix = [each for each in candidates if each[:at] == gold[:at]]
        choices = sorted({each[at] for each in same_prefix if len(each) > at})
        if choices and any(len(each) == at for each in same_prefix):
            probs = logits[at].softmax(-1)
            prob = 1 - probs[choices].sum() if token is None else probs[token]
            parts.append(-torch.log(prob.clamp(min=1e-6)))
        elif token is not None:
            target = torch.tensor([choices.index(token)], device=logits.device)
            parts.append(nn.functional.cross_entropy(logits[at, choices][None], target))
    return torch.stack(parts).sum()


def number_distribution(
    logits: Tensor, places: Sequence[tuple[int, float]], digits: Mapping[int, float]
) -> tuple[Tensor, Tensor]:
    """The numbers that tokens can write, (m,), and their probabilities, (m,).

    logits: (tokens, v); the token at a position is predicted at the position before. The digits of
    a number count as independent.
    """
    values = torch.tensor(list(digits.values()), device=logits.device)
    numbers, probs = logits.new_zeros(1), logits.new_ones(1)
    for position, place_value in places:
        digit_probs = logits[position - 1, list(digits)].softmax(-1)
        numbers = (numbers[:, None] + place_value * values).flatten()
        probs = (probs[:, None] * digit_probs).flatten()
    return numbers, probs


def span_distance(start: Tensor, end: Tensor, gold: tuple[float, float]) -> Tensor:
    """1 - IoU of spans, start and end (m,) in any order, and a gold one: (m,).

    IoU is the official scorer's. Where spans do not overlap, the gap between them, negative,
    replaces the overlap, so a nearer span is a better one (generalised IoU in one dimension,
    https://arxiv.org/abs/1902.09630).
    """
    low, high = torch.minimum(start, end), torch.maximum(start, end)
    common = torch.clamp(high, max=gold[1]) - torch.clamp(low, min=gold[0])
    whole = torch.clamp(high, min=gold[1]) - torch.clamp(low, max=gold[0])
    return 1 - common / whole.clamp(min=1e-6)


def span_loss(logits: Tensor, answer: AnswerSpan, digits: Mapping[int, float]) -> Tensor:
    """The expected `span_distance` (scalar): mean of all starts with the gold end, and vice versa.

    logits: (tokens, v), under teacher forcing: the end is predicted after the gold start. The
    expectation is over spans. The distance of the expected times was tried and is worse: a start
    that is early as often as late costs nothing then, and its most likely value is neither
    (docs/assistants.md). Raises ValueError if the answer has no span.
    """
    if answer.span is None:
        raise ValueError("expected an answer with a span, found none; skip answers without one")
    gold_start, gold_end = (logits.new_tensor(at) for at in answer.span)
    starts, probs = number_distribution(logits, answer.start, digits)
    total = (probs * span_distance(starts, gold_end, answer.span)).sum()
    ends, probs = number_distribution(logits, answer.end, digits)
    return (total + (probs * span_distance(gold_start, ends, answer.span)).sum()) / 2


def auxiliary_loss(logits: Tensor, answers: Sequence[AnswerSpan], numbers: NumberTokens) -> Tensor:
    """The mean over answers of number loss plus span loss: a scalar; logits (n, tokens, v)."""
    total = logits.new_zeros(())
    for row, answer in zip(logits, answers, strict=True):
        if answer.number is not None:
            position, number = answer.number
            total = total + candidate_loss(row[position - 1 :], number, numbers.candidates)
        if answer.span is not None:
            total = total + span_loss(row, answer, numbers.digits)
    return total / max(1, len(answers))


def argmax_loss(texts: Sequence[str], answers: Sequence[AnswerSpan], count: int) -> float:
    """The same as published: read from the most likely texts, so a number without a gradient.

    count: of candidates. A number that cannot be read, or belongs to no candidate, costs nothing.
    Nor does a span that cannot be read: its IoU counts as 1.
    """
    total = 0.0
    for text, answer in zip(texts, answers, strict=True):
        if answer.number is not None:
            number = published_rules.official_number(text)
            if number is not None and 1 <= number <= count:
                scores = torch.full((1, count), _OTHER_LOGIT)
                scores[0, number - 1] = _READ_LOGIT
                gold = torch.tensor([answer.number[1] - 1])
                total += float(nn.functional.cross_entropy(scores, gold))
        if answer.span is not None:
            start, end = published_rules.official_spans(text)
            if start != end:
                low, high = answer.span
                common = max(0.0, min(end, high) - max(start, low))
                total += 1 - common / (max(end, high) - min(start, low))
    return total / max(1, len(answers))
