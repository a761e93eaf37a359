"""Did you mean: the known name nearest to an unknown one."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice, pairwise

from harness.validation.report import named

LOOKUPS = 60  # names looked up in one run: a file of nothing but strange names stays quick
NEAR = 300  # names compared letter by letter
LONGEST = 100


class Suggestions:
    """Suggests from one fixed set of names."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._stems: dict[str, str] | None = None
        self._found: dict[str, str] = {}

    def __call__(self, word: str) -> str:
        """`; did you mean NAME?`, or nothing if no name is near or too many were looked up."""
        if word not in self._found:
            if len(self._found) >= LOOKUPS or len(word) > LONGEST:
                return ""
            self._found[word] = self._nearest(word)
        nearest = self._found[word]
        return f"; did you mean {named(nearest)}?" if nearest else ""

    def _nearest(self, word: str) -> str:
        if self._stems is None:
            self._stems = {_stem(name): name for name in self._names}
        stem = _stem(word)
        if stem in self._stems:
            return self._stems[stem]
        slips = 1 if len(stem) < 8 else 2
        # One or two slips leave two quarters of a word whole.
        cuts = [len(stem) * quarter // 4 for quarter in range(5)]
        quarters = [stem[start:end] for start, end in pairwise(cuts)]
        near = (
            name
            for name in self._stems
            if abs(len(name) - len(stem)) <= slips and sum(part in name for part in quarters) > 1
        )
        best = min(
            ((edits(stem, name), name) for name in islice(near, NEAR)), default=(LONGEST, "")
        )
        return self._stems[best[1]] if best[0] <= slips else ""


def _stem(name: str) -> str:
    """The name without what is left out most often: its folder, its suffix, its capitals."""
    return name.strip().rsplit("/", 1)[-1].rsplit(".", 1)[0].casefold()


def edits(one: str, other: str) -> int:
    """Letters to insert, delete, replace or exchange with their neighbour to get `other`.

    The optimal string alignment distance.
    """
    above: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        above, before, row = row, above, [i]
        for j, target in enumerate(other, start=1):
            cost = min(above[j] + 1, row[-1] + 1, above[j - 1] + (letter != target))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == target:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
    return row[-1]
