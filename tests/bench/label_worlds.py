"""What attackers of hidden labels face: turns with candidate lists, and a board that answers.

A world knows which of its ten candidates is the gold video of each turn. Attackers know the lists,
the dialogues, the public slices, and how often the gold stands at each place of a list, as open
train labels tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.benchmark import Benchmark
from harness.challenge.feedback import LadderFeedback
from harness.metrics import Column
from harness.publication.disclosure import DECIMALS, SMALLEST_CELL
from harness.statistics import Design, resampling_units
from tests.bench.simulation import Floats, Ints, Rng

SLOTS = 10  # candidates of a turn
ELSEWHERE = SLOTS  # the gold is none of them
UNKNOWN = -1
TRIED = 20  # turns that an attacker of a Ladder looks at
DIGITS = DECIMALS + 2  # of a share, where two decimals of a per cent are published


class World(NamedTuple):
    """Video turns, (turns,) each.

    gold: the place of the gold video among the candidates, or ELSEWHERE; part: the public slice;
    prior: (SLOTS + 1,) the shares of the places.
    """

    gold: Ints
    unit: Ints
    video: Ints
    part: Ints
    prior: Floats

    def only(self, turns: Ints) -> World:
        """Some of the turns; small slices are merged, the prior stays."""
        gold, unit, video, part = (column[turns] for column in self[:4])
        return World(gold, unit, video, merged(part), self.prior)

    def design(self) -> Design:
        """The design of the turns."""
        return Design.of(self.unit, self.video, np.ones(len(self.unit)), draws=99)

    def halves(self, rng: Rng) -> tuple[World, World]:
        """Two halves by dialogue: one is on the board, the other is held out."""
        side = rng.permutation(self.unit.max() + 1) % 2
        first = side[self.unit] == 0
        return self.only(np.flatnonzero(first)), self.only(np.flatnonzero(~first))

    def sample(self, rng: Rng, turns: int) -> World:
        """So many turns in whole dialogues but for the last one; more than there are: copies."""
        chosen: list[Ints] = []
        copies: list[Ints] = []
        by_unit = np.split(np.argsort(self.unit, kind="stable"), np.cumsum(np.bincount(self.unit)))
        number = 0
        while sum(map(len, chosen)) < turns:
            for unit in rng.permutation(len(by_unit) - 1):
                chosen.append(by_unit[unit])
                copies.append(np.full(len(by_unit[unit]), number))
            number += 1
        rows, copy = (np.concatenate(each)[:turns] for each in (chosen, copies))
        unit, video = (
            np.unique(column[rows] + copy * (column.max() + 1), return_inverse=True)[1]
            for column in (self.unit, self.video)
        )
        part = merged(self.part[rows])
        return World(self.gold[rows], unit, video, part, self.prior)


def merged(part: Ints) -> Ints:
    """Slices numbered from 0; the smallest are one, until none has fewer than SMALLEST_CELL turns.

    So a board on hidden labels shows them: small ones are withheld, the rest is a difference.
    """
    found = np.unique(part, return_inverse=True)[1]
    while len(sizes := np.bincount(found)) > 1 and sizes.min() < SMALLEST_CELL:
        smallest, next_one = np.argsort(sizes, kind="stable")[:2]
        found = np.unique(np.where(found == smallest, next_one, found), return_inverse=True)[1]
    return found


def mini_world(folder: Path) -> World:
    """The video turns of a benchmark's test split, IVCR-Mini's; slices by the finest public kind.

    Turns without a list of ten have the gold ELSEWHERE.
    """
    split, gold = Benchmark(folder).split("test"), Benchmark(folder).gold("test")
    rows = [pair for pair in zip(split.turns, gold, strict=True) if pair[0].task == "video"]
    lists = [split.candidates.get(turn.key, ()) for turn, _ in rows]
    places = np.array(
        [
            names.index(answer.video_id) if answer.video_id in names else ELSEWHERE
            for (_, answer), names in zip(rows, lists, strict=True)
        ]
    )
    length = Counter(turn.dialogue_id for turn in split.turns)
    kinds = [
        _numbered([turn.type for turn, _ in rows]),
        _numbered([turn.turn for turn, _ in rows]),
        _numbered([length[turn.dialogue_id] for turn, _ in rows]),
    ]
    types = np.array([turn.type for turn, _ in rows])
    unit = resampling_units(_numbered([turn.dialogue_id for turn, _ in rows]), types)
    video = _numbered([answer.video_id for _, answer in rows])
    part = max(map(merged, kinds), key=lambda found: int(found.max()))
    return World(places, unit, video, part, _shares(places))


def simulated_world(dialogues: int, seed: int = 0) -> World:
    """Dialogues of two video turns over half as many videos; the gold is in 90 % of the lists."""
    rng = np.random.default_rng(seed)
    prior = np.r_[0.3, np.full(SLOTS - 1, 0.6 / (SLOTS - 1)), 0.1]
    turns = 2 * dialogues
    gold = rng.choice(SLOTS + 1, turns, p=prior)
    unit, video = np.arange(turns) // 2, rng.integers(0, max(2, dialogues // 2), turns)
    return World(gold, unit, video, merged(np.arange(turns) % 2), prior)


def _numbered(names: Sequence[object]) -> Ints:
    return np.unique(np.array([str(name) for name in names]), return_inverse=True)[1]


def _shares(places: Ints) -> Floats:
    counts = np.bincount(places, minlength=SLOTS + 1) + 0.5
    return np.asarray(counts / counts.sum())


class LadderBoard:
    """A board that answers one team by the Ladder, and counts what it was asked."""

    def __init__(self, world: World, steps: float, *, rounded: bool) -> None:
        """`rounded`: to two decimals of a per cent, else ten digits."""
        self._world, self._rounded = world, rounded
        self._ladder = LadderFeedback("R@1", world.design(), steps)
        self._best: Column | None = None
        self._alone: dict[int, bool] = {}
        self._least, self._enough = max(1, int(steps**2) - 1), False
        self.asked = 0

    def ask(self, guesses: Ints) -> float | None:
        """The figure released for `guesses`, (turns,) places or UNKNOWN; None: none is."""
        self.asked += 1
        right = (guesses == self._world.gold) & (guesses != ELSEWHERE)
        column = _column(right)
        if self._surely_refused(column):
            return None
        released = self._ladder.release(self._best, column)
        if released is None:
            return None
        self._best = column
        return released if self._rounded else float(f"{right.mean():.10g}")

    def least_block(self, ranked: Ints) -> Ints:
        """The fewest turns, the first of `ranked` if it may be, that are released if all are right.

        What an attacker who knows the rule works out without asking.
        """
        if self._least == 1:
            for turn in ranked[:TRIED].tolist():
                if turn not in self._alone:
                    self._alone[turn] = self._released(np.array([turn]))
                if self._alone[turn]:
                    return np.array([turn])
        _, firsts = np.unique(self._world.unit[ranked], return_index=True)
        apart = ranked[np.sort(firsts)]
        while self._least > 1 and not self._released_before(apart[: self._least]):
            self._least += 1
        return apart[: max(2, self._least)]

    def _surely_refused(self, right: Column) -> bool:
        """Whether the error over dialogues alone, which is no larger, refuses: a short cut."""
        before = 0.0 if self._best is None else self._best.values
        return self._refused(right.values - before)

    def _refused(self, ahead: Floats) -> bool:
        sums = np.bincount(self._world.unit, weights=ahead - ahead.mean())
        least = np.square(sums).sum() * len(sums) / (len(sums) - 1)
        return bool(ahead.sum() <= (1 - 1e-9) * self._ladder.steps * np.sqrt(least))

    def _released_before(self, turns: Ints) -> bool:
        """Whether so many turns are released; worked out until it is so once."""
        self._enough = self._enough or self._released(turns)
        return self._enough

    def _released(self, turns: Ints) -> bool:
        right = np.zeros(len(self._world.gold), dtype=bool)
        right[turns] = True
        if self._refused(right.astype(float)):
            return False
        return self._ladder.release(None, _column(right)) is not None


def _column(right: ArrayLike) -> Column:
    values = np.asarray(right)
    return Column.of(values, np.ones(len(values), dtype=bool))
