"""Whether answers follow an order that has nothing to do with what was asked.

neighbours: how often an answer stands next to the one before; direction: how often the next answer
of a dialogue stands behind the one before; trend: whether dialogues late in the file are answered
with videos late in the order. The first two are compared with orders in which videos of one source
change places, so all that answers have in common stays; the last with files in which dialogues of
one type and language change places whole.

Right answers follow whatever the gold follows. So a run's p is of what goes beyond the gold: as far
as the gold's statistic is off its mean, on the same side, the run's may be too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from harness.outcomes import Bools, Floats, Ints
from harness.probes.orders import VideoOrder, mean_places
from harness.probes.runs import Field
from harness.statistics import drawn_p

DRAWS = 2000
SEED = 20251201
FEWEST = 30  # steps from one answer to another, or dialogues, that a test needs
NOT_KNOWN: Mapping[str, float] = {}


class OrderFinding(NamedTuple):
    """One test. found, expected: the statistic, and its mean if the order is arbitrary."""

    test: str
    found: float
    expected: float
    p: float


class Shuffles(NamedTuple):
    """Orders under the hypothesis, shared by all runs.

    videos: (draws, corpus) which video takes the place of which; dialogues: (draws, dialogues).
    """

    videos: Ints
    dialogues: Ints

    @classmethod
    def of(cls, field: Field, sources: Ints, draws: int = DRAWS) -> Shuffles:
        """Draw them. `sources`: (corpus,) strata of videos."""
        rng = np.random.Generator(np.random.PCG64(SEED))
        frame = field.frame
        first = np.flatnonzero(np.diff(frame.dialogue, prepend=-1))
        kinds = np.stack([frame.type[first], frame.language[first]])
        kind = np.unique(kinds, axis=1, return_inverse=True)[1].ravel()
        return cls(_within(rng, sources, draws), _within(rng, kind, draws))


def _within(rng: np.random.Generator, stratum: Ints, draws: int) -> Ints:
    """Permutations within strata, (draws, n)."""
    home = np.argsort(stratum, kind="stable")
    keys = rng.random((draws, len(stratum)))
    found = np.empty((draws, len(stratum)), dtype=np.int64)
    found[:, home] = np.lexsort((keys, np.broadcast_to(stratum, keys.shape)), axis=1)
    return found


def order_tests(
    field: Field,
    answers: Ints,
    order: VideoOrder,
    shuffles: Shuffles,
    gold: Mapping[str, float] = NOT_KNOWN,
) -> list[OrderFinding]:
    """All tests of one order for which there are enough answers.

    `answers`: (turns,) positions in the corpus, -1 where there is none; `gold`: by test, how far
    the gold's statistic is off its mean.
    """
    return [
        _finding(test, found, draws, gold.get(test, 0.0))
        for test, found, draws in _statistics(field, answers, order, shuffles)
    ]


def _finding(test: str, found: Floats, draws: Floats, gold: float) -> OrderFinding:
    expected = float(draws.mean())
    off = float(found[0]) - expected
    beyond = np.sign(off) * max(abs(off) - max(gold * np.sign(off), 0.0), 0.0)
    return OrderFinding(test, float(found[0]), expected, drawn_p(expected + beyond, draws))


def _statistics(
    field: Field, answers: Ints, order: VideoOrder, shuffles: Shuffles
) -> Iterator[tuple[str, Floats, Floats]]:
    """Each test: its statistic (1,) and its draws (draws,)."""
    rows = np.flatnonzero(answers >= 0)
    before, after = answers[rows[:-1]], answers[rows[1:]]
    moves = before != after
    inside = moves & (field.frame.dialogue[rows[:-1]] == field.frame.dialogue[rows[1:]])
    own, places = order.place[None], order.place[shuffles.videos]  # (1 or draws, corpus)
    for test, statistic, steps in (("neighbours", _near, moves), ("direction", _ahead, inside)):
        if np.count_nonzero(steps) >= FEWEST:
            pairs = before[steps], after[steps]
            yield test, statistic(own, *pairs), statistic(places, *pairs)
    yield from _trend(field, answers, order, shuffles)


def _near(places: Floats, before: Ints, after: Ints) -> Floats:
    steps = np.abs(places[:, after] - places[:, before])
    share: Floats = (steps <= 1).mean(axis=1)
    return share


def _ahead(places: Floats, before: Ints, after: Ints) -> Floats:
    steps = places[:, after] - places[:, before]
    share: Floats = ((steps > 0) + 0.5 * (steps == 0)).mean(axis=1)
    return share


def _trend(
    field: Field, answers: Ints, order: VideoOrder, shuffles: Shuffles
) -> Iterator[tuple[str, Floats, Floats]]:
    """Spearman's correlation of a dialogue's place in the file and its answers' mean place."""
    given = answers >= 0
    dialogue = field.frame.dialogue[given]
    count = np.bincount(dialogue, minlength=len(field.frame.dialogues))
    if np.count_nonzero(count) < FEWEST:
        return
    sums = np.bincount(dialogue, order.place[answers[given]], minlength=len(count))
    means = np.divide(sums, count, out=np.full(len(count), np.nan), where=count > 0)
    some = count > 0
    level = np.zeros(len(count))
    level[some] = _standard(mean_places(means[some]))
    line = np.arange(len(count))
    found = _correlation(level[None], some[None], line)
    yield "trend", found, _correlation(level[shuffles.dialogues], some[shuffles.dialogues], line)


def _standard(values: Floats) -> Floats:
    away = values - values.mean()
    norm: Floats = away / max(float(np.sqrt(np.square(away).sum())), 1e-12)
    return norm


def _correlation(levels: Floats, some: Bools, line: Ints) -> Floats:
    """Of standardised levels with the place among those that have one: (draws,)."""
    number = np.maximum(some.sum(axis=1, keepdims=True), 1)
    away = (line - (some * line).sum(axis=1, keepdims=True) / number) * some
    norm = np.sqrt(np.square(away).sum(axis=1))
    found: Floats = (levels * away).sum(axis=1) / np.maximum(norm, 1e-12)
    return found
