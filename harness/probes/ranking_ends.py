"""Rankings behind rank 10, where systems that were made apart differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.outcomes import Ints
from harness.probes.runs import NONE, Field, Ranks
from harness.probes.wrong_answers import Agreement

HEAD = 10  # ranks that are not looked at: what is sought is found there
TURNS = 400  # video turns that are looked at, evenly over the split
FEWEST = 10  # neighbours behind rank 10 that a turn needs
ALIKE = 0.9  # share of neighbours that alike ends have in common
Places = NDArray[np.int16]


class RankingEnds:
    """Which video follows which behind rank 10.

    Only neighbours against the order of the corpus count: ties are put in that order by habit, so
    it says nothing of a common origin.
    """

    def __init__(self, field: Field) -> None:
        """Take up to 400 video turns of each run."""
        rows = np.flatnonzero(field.frame.is_video)
        chosen = np.linspace(0, len(rows) - 1, min(TURNS, len(rows))).round().astype(np.int64)
        self._rows: Ints = rows[chosen]
        self._turns = len(field.gold)
        self._rankings = [run.ranking[self._rows] for run in field.runs]
        self._places = [_places(ranking, len(field.split.corpus)) for ranking in self._rankings]

    def beside(self, run: int) -> Agreement:
        """Turns in which both rank ten such neighbours or more, and those with alike ends."""
        found = np.zeros((2, len(self._rankings), self._turns), dtype=bool)
        ranking = self._rankings[run]
        before, after = ranking[:, HEAD:-1], ranking[:, HEAD + 1 :]
        counted = (after < before) & (after >= 0)  # (looked-at turns, neighbours)
        turns = np.arange(len(ranking))[:, None]
        for other, place in enumerate(self._places):
            first, second = place[turns, before], place[turns, after]
            known = counted & (first >= 0) & (second >= 0)
            common = (known & (second == first + 1)).sum(axis=1)
            of = known.sum(axis=1)
            found[0, other, self._rows] = of >= FEWEST
            found[1, other, self._rows] = (of >= FEWEST) & (common >= ALIKE * of)
        return Agreement(*found)

    def guesses(self, run: int) -> None:
        """None."""
        return


def _places(ranking: Ranks, corpus: int) -> Places:
    """The rank of each video from 0, -1 where absent: (turns, corpus + 1), the last column -1."""
    place = np.full((len(ranking), corpus + 1), NONE, dtype=np.int16)
    ranks = np.broadcast_to(np.arange(ranking.shape[1], dtype=np.int16), ranking.shape)
    np.put_along_axis(place, ranking.astype(np.int64) % (corpus + 1), ranks, axis=1)
    place[:, -1] = NONE
    return place
