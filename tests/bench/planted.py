"""Copies of a run that hide where they come from, and runs that follow an order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.probes.runs import Field, ProbedRun, Ranks

Rng = np.random.Generator
Hide = Callable[[Rng, ProbedRun, ProbedRun], ProbedRun]  # the original, another run, the copy


def replaced(share: float) -> Hide:
    """So many answers are those of another run, whole."""

    def copy(rng: Rng, run: ProbedRun, other: ProbedRun) -> ProbedRun:
        turns = rng.random(len(run.ranking)) < share
        return run._replace(
            ranking=np.where(turns[:, None], other.ranking, run.ranking),
            moment=np.where(turns[:, None], other.moment, run.moment),
        )

    return copy


def firsts_changed(share: float) -> Hide:
    """In so many turns the first video changes places with one of the next nine."""

    def copy(rng: Rng, run: ProbedRun, other: ProbedRun) -> ProbedRun:
        ranking = run.ranking.copy()
        for row in np.flatnonzero(rng.random(len(ranking)) < share):
            at = rng.integers(1, 10)
            ranking[row, [0, at]] = ranking[row, [at, 0]]
        return run._replace(ranking=ranking)

    return copy


def noisy(deviation: float, start: int = 0) -> Hide:
    """Ranks from `start` on get noise and are sorted anew."""

    def copy(rng: Rng, run: ProbedRun, other: ProbedRun) -> ProbedRun:
        ranking = run.ranking.copy()
        part = ranking[:, start:]
        keys = np.arange(part.shape[1]) + deviation * rng.standard_normal(part.shape)
        keys[part < 0] = np.inf
        ranking[:, start:] = np.take_along_axis(part, np.argsort(keys, axis=1), axis=1)
        return run._replace(ranking=ranking)

    return copy


def cut(rng: Rng, run: ProbedRun, other: ProbedRun) -> ProbedRun:
    """The first ten videos alone."""
    ranking = run.ranking.copy()
    ranking[:, 10:] = -1
    return run._replace(ranking=ranking)


def both(one: Hide, two: Hide) -> Hide:
    """One after the other."""

    def copy(rng: Rng, run: ProbedRun, other: ProbedRun) -> ProbedRun:
        return two(rng, one(rng, run, other), other)

    return copy


COPIES: dict[str, Hide] = {
    "as it is": replaced(0.0),
    "5 % of the answers are another run's": replaced(0.05),
    "10 % of the answers are another run's": replaced(0.1),
    "30 % of the answers are another run's": replaced(0.3),
    "30 % of the first videos changed": firsts_changed(0.3),
    "ranks from 11 on shuffled": noisy(1000.0, start=10),
    "30 % another run's, ranks from 11 on shuffled": both(replaced(0.3), noisy(1000.0, start=10)),
    "noise on all ranks, SD 1": noisy(1.0),
    "noise on all ranks, SD 5": noisy(5.0),
    "the first ten videos alone": cut,
}


def _put_first(ranking: Ranks, row: int, video: int) -> None:
    rest = ranking[row][ranking[row] != video]
    ranking[row] = np.concatenate([[video], rest, [-1]])[: ranking.shape[1]]


def follower(field: Field, run: ProbedRun, test: str, share: float, rng: Rng) -> ProbedRun:
    """The run, with so many answers to video turns given by the order of corpus.txt."""
    ranking, chosen = run.ranking.copy(), run.chosen.copy()
    size, before, dialogue = len(field.split.corpus), 0, -1
    for row in np.flatnonzero(field.frame.is_video).tolist():
        same = field.frame.dialogue[row] == dialogue
        if test == "one position":
            chosen[row] = 0 if rng.random() < share else rng.integers(10)
        elif rng.random() < share:
            if test == "neighbours":
                _put_first(ranking, row, (before + 1) % size)
            elif test == "trend":
                _put_first(ranking, row, row * size // len(ranking))
            elif same:
                _put_first(ranking, row, int(rng.integers(before, size)))
        before, dialogue = max(int(ranking[row, 0]), 0), field.frame.dialogue[row]
    return run._replace(ranking=ranking, chosen=chosen)
