"""Did you mean: the known name nearest to an unknown one."""

from __future__ import annotations

from collections.abc import Collection

from harness.validation.report import display

LOOKUPS = 60  # names looked up in one run: a file of nothing but unknown names stays quick
LONGEST = 100
# A stem of so many letters may have so many slips: of single letters any is near any other.
SLIPS = ((8, 2), (3, 1), (0, 0))


class Suggestions:
    """Suggests from one fixed set of names."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._stems: dict[str, str] | None = None
        self._answers: dict[str, str] = {}

    def __call__(self, word: str) -> str:
        """`; did you mean NAME?`, or nothing if no name is near or too many were looked up."""
        nearest = self.nearest(word)
        if not nearest:
            return ""
        ending = _ending_between(word, nearest)
        difference = f" (it differs only by {display(ending)})" if ending else ""
        return f"; did you mean {display(nearest)}{difference}?"

    def nearest(self, word: str) -> str:
        """The name that is meant; empty if no name is near or too many were looked up."""
        if word not in self._answers:
            if len(self._answers) >= LOOKUPS or len(word) > LONGEST:
                return ""
            self._answers[word] = self._nearest(word)
        return self._answers[word]

    def _nearest(self, word: str) -> str:
        """The name whose stem is at most SLIPS away; empty if none is."""
        # Here, not above: most submissions have no unknown name.
        from rapidfuzz.distance import OSA
        from rapidfuzz.process import extractOne

        if self._stems is None:
            self._stems = {_stem(name): name for name in self._names}
        stem = _stem(word)
        for shorter in (stem, _stem(stem)):  # an ending may stand there twice
            if shorter in self._stems:
                return self._stems[shorter]
        slips = next(slips for length, slips in SLIPS if len(stem) >= length)
        best = extractOne(stem, self._stems.keys(), scorer=OSA.distance, score_cutoff=slips)
        return "" if best is None else self._stems[best[0]]


def _ending_between(word: str, name: str) -> str:
    """What stands at the end of `name` in place of nothing or of another ending in `word`."""
    root, dot, ending = name.rpartition(".")
    return f".{ending}" if dot and root in (word, word.rpartition(".")[0]) else ""


def _stem(name: str) -> str:
    """The name without what is left out most often: its folder, its suffix, its capitals."""
    return name.strip().rsplit("/", 1)[-1].rsplit(".", 1)[0].casefold()
