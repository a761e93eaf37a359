"""InterLLaVA's losses: of words, of the candidate's number, of the span; sound and as published.

The paper's loss is that of the words plus 0.01 times ((1 - IoU) + cross entropy over the numbers
of the candidates). Its code reads the last two in the likeliest text, which has no gradient: they
change what is logged and nothing that is learnt. Here they are functions of the probabilities of
the tokens that spell a number (`spelt`); `argmax` is the published form, to compare with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from harness.replies import published_rules

WEIGHT = 0.01  # of both further losses, as published
IGNORED = -100
_SURE, _UNSURE = 10.0, 0.01  # the published "logits" of a number that was read, and of the others


class Spelling(NamedTuple):
    """How a tokenizer spells numbers.

    candidates: by number, from 1, the tokens after which it stands. digits: by token what it is
    worth: a digit, or a whole number where numbers are single tokens.
    """

    candidates: tuple[tuple[int, ...], ...]
    digits: Mapping[int, float]


class Spelt(NamedTuple):
    """Where an answer spells what: places of tokens in its row.

    number: the first token of the candidate's number, and that number. start, end: of each token
    of a time its place, and what a digit there is worth; span: the gold one in seconds.
    """

    number: tuple[int, int] | None = None
    start: tuple[tuple[int, float], ...] = ()
    end: tuple[tuple[int, float], ...] = ()
    span: tuple[float, float] | None = None


def of_words(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of the tokens to be learnt; logits (n, tokens, v), labels (n, tokens)."""
    return nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED
    )


def of_number(logits: Tensor, number: int, candidates: Sequence[tuple[int, ...]]) -> Tensor:
    """-log of the probability of `number` (from 1) among the candidates' numbers.

    logits: (tokens, v), from where the number's first token is told. Numbers are told apart token
    by token, among those that begin as the gold one does. Where one of them ends and another goes
    on, the end has the probability that no token goes on.
    """
    gold = candidates[number - 1]
    parts = [logits.new_zeros(())]
    for at, token in enumerate([*gold, None]):
        alike = [each for each in candidates if each[:at] == gold[:at]]
        onward = sorted({each[at] for each in alike if len(each) > at})
        if onward and any(len(each) == at for each in alike):
            share = logits[at].softmax(-1)
            kept = 1 - share[onward].sum() if token is None else share[token]
            parts.append(-torch.log(kept.clamp(min=1e-6)))
        elif token is not None:
            place = torch.tensor([onward.index(token)], device=logits.device)
            parts.append(nn.functional.cross_entropy(logits[at, onward][None], place))
    return torch.stack(parts).sum()


def spread(
    logits: Tensor, places: Sequence[tuple[int, float]], digits: Mapping[int, float]
) -> tuple[Tensor, Tensor]:
    """The numbers that tokens may spell, (m,), and their probabilities, (m,); logits (tokens, v).

    Each place is read by itself, among the digits; it is told by the logits of the place before.
    """
    worth = torch.tensor(list(digits.values()), device=logits.device)
    numbers, shares = logits.new_zeros(1), logits.new_ones(1)
    for place, weight in places:
        share = logits[place - 1, list(digits)].softmax(-1)
        numbers = (numbers[:, None] + weight * worth).flatten()
        shares = (shares[:, None] * share).flatten()
    return numbers, shares


def apart(start: Tensor, end: Tensor, gold: tuple[float, float]) -> Tensor:
    """1 - IoU of spans (in any order) and a gold one, as the official scorer has the IoU.

    Where they do not overlap, the gap between them takes the place of the overlap, negative: so
    the nearer one is the better one (generalised IoU in one dimension,
    https://arxiv.org/abs/1902.09630).
    """
    low, high = torch.minimum(start, end), torch.maximum(start, end)
    common = torch.clamp(high, max=gold[1]) - torch.clamp(low, min=gold[0])
    whole = torch.clamp(high, min=gold[1]) - torch.clamp(low, max=gold[0])
    return 1 - common / whole.clamp(min=1e-6)


def of_span(logits: Tensor, found: Spelt, digits: Mapping[int, float]) -> Tensor:
    """What is to be expected of `apart`: of all starts with the gold end, and the other way round.

    logits: (tokens, v), with the gold answer told, as in generating the end is told a start. The
    expectation is over spans. That of `apart` at the expected times would do with a start that
    is early as often as late, of which the likeliest one is neither; it was tried, and is worse
    (docs/assistants.md).
    """
    if found.span is None:
        raise ValueError("expected an answer that spells a span")
    first, last = (logits.new_tensor(at) for at in found.span)
    starts, likely = spread(logits, found.start, digits)
    total = (likely * apart(starts, last, found.span)).sum()
    ends, likely = spread(logits, found.end, digits)
    return (total + (likely * apart(first, ends, found.span)).sum()) / 2


def spelt(logits: Tensor, found: Sequence[Spelt], spelling: Spelling) -> Tensor:
    """The mean over answers of both further losses, with gradients; logits (n, tokens, v)."""
    total = logits.new_zeros(())
    for row, each in zip(logits, found, strict=True):
        if each.number is not None:
            place, number = each.number
            total = total + of_number(row[place - 1 :], number, spelling.candidates)
        if each.span is not None:
            total = total + of_span(row, each, spelling.digits)
    return total / max(1, len(found))


def argmax(texts: Sequence[str], found: Sequence[Spelt], count: int) -> float:
    """The same as published: read in the likeliest texts, so a number without a gradient.

    A number that cannot be read, or is none of a candidate, costs nothing; nor does a span that
    cannot be read: its IoU counts as 1.
    """
    total = 0.0
    for text, each in zip(texts, found, strict=True):
        if each.number is not None:
            read = published_rules.official_number(text)
            if read is not None and 1 <= read <= count:
                scores = torch.full((1, count), _UNSURE)
                scores[0, read - 1] = _SURE
                gold = torch.tensor([each.number[1] - 1])
                total += float(nn.functional.cross_entropy(scores, gold))
        if each.span is not None:
            start, end = published_rules.official_spans(text)
            if start != end:
                low, high = each.span
                common = max(0.0, min(end, high) - max(start, low))
                total += 1 - common / (max(end, high) - min(start, low))
    return total / max(1, len(found))
