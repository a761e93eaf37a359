"""Oddities of imported files: counts, examples, and how the import treats them."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from msgspec import Struct

EXAMPLES = 3


class OddityRule(NamedTuple):
    """An oddity, and how the import treats it."""

    what: str
    treatment: str


ODDITIES = {
    "no-dialogue": OddityRule("entries that are no dialogue", "dropped"),
    "unknown-split": OddityRule("dialogues whose split is none of train, val, test", "dropped"),
    "no-type": OddityRule("dialogues without an integer type code", "dropped"),
    "no-turn": OddityRule("dialogues without a single answered turn", "dropped"),
    "several-types": OddityRule("dialogues with several type codes", "the first code counts"),
    "bad-id": OddityRule(
        "dialogue ids that are no printable text", "the position names the dialogue"
    ),
    "duplicate-id": OddityRule(
        "dialogue ids given a second time", "the position names the later dialogue"
    ),
    "no-answer": OddityRule("human entries without an answer", "dropped; later turns move up"),
    "no-question": OddityRule("answers without a human entry", "dropped"),
    "bad-entry": OddityRule("conversation entries that are no message", "dropped"),
    "bad-characters": OddityRule("texts with characters that UTF-8 cannot hold", "replaced by ?"),
    "empty-utterance": OddityRule("empty utterances", "kept"),
    "repeated-utterance": OddityRule(
        "utterances that an earlier turn of the split has too", "kept"
    ),
    "no-gold": OddityRule("retrieval turns without a readable gold video", "kept as chat turns"),
    "bad-span": OddityRule("moment turns without a readable span", "kept as chat turns"),
    "empty-span": OddityRule("moment turns whose span has no length", "kept as chat turns"),
    "reversed-span": OddityRule("spans that end before they start", "put in order"),
    "negative-span": OddityRule("spans that start before the first frame", "cut to start at 0"),
    "span-outside": OddityRule("spans that end past the video's end", "kept"),
    "span-beyond": OddityRule("spans that start at or past the video's end", "kept"),
    "bad-candidates": OddityRule(
        "turns with unreadable or repeated candidates", "those are left out"
    ),
    "not-ten-candidates": OddityRule("turns with a candidate list that is not ten long", "kept"),
    "gold-not-candidate:video": OddityRule(
        "video turns whose gold is not among the candidates", "kept"
    ),
    "gold-not-candidate:moment": OddityRule(
        "moment turns whose gold is not among the candidates", "kept"
    ),
    "no-metadata": OddityRule(
        "videos that META does not describe", "kept without duration: duration rules are skipped"
    ),
    "near-metadata": OddityRule(
        "of these, videos whose id META spells otherwise (ending, folders, capitals)",
        "not joined: write META's ids as the dialogues do, and import again",
    ),
    "unnamed-metadata": OddityRule("videos of META that no dialogue names", "kept"),
    "outside-path": OddityRule(
        "videos whose path leads out of the videos' folder",
        "kept, but no run reads them: name the folder that holds them with --videos-root",
    ),
    "missing-file": OddityRule(
        "videos whose file is not there",
        "kept, but no run reads them: check META's paths and --videos-root",
    ),
    "duration-milliseconds": OddityRule(
        "videos whose duration in META is a thousand times their file's",
        "kept: META's durations are seconds, so divide them by 1000, and import again",
    ),
    "far-durations": OddityRule(
        "META whose durations are over a hundred times as long as the moments need",
        "kept: META's durations are seconds; if these are milliseconds, divide them by 1000, and "
        "import again",
    ),
    "other-duration": OddityRule(
        "videos whose file lasts more than a second longer or shorter than META says",
        "kept: give META's durations in seconds, of these very files, and import again",
    ),
}


class OddityRow(Struct, frozen=True):
    """All cases of one code: their number, by language, and the places of the first ones."""

    code: str
    what: str
    treatment: str
    count: int
    by_language: dict[str, int]
    examples: list[str]

    def line(self) -> str:
        """The row as text."""
        languages = ", ".join(f"{name} {count:,}" for name, count in self.by_language.items())
        return (
            f"{self.count:>9,}  {self.what}{f' ({languages})' if languages else ''}: "
            f"{self.treatment}; first: {', '.join(self.examples)}"
        )


class Oddities:
    """Counts by code and language ("" where no utterance is concerned), with the first places."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.examples: dict[str, list[str]] = {}

    def add(self, code: str, place: str, language: str = "") -> None:
        """Count one case at `place` (a dialogue and turn, or a position in the file).

        Raises KeyError at a code that ODDITIES lacks.
        """
        if code not in ODDITIES:
            raise KeyError(code)
        self.counts[code, language] += 1
        examples = self.examples.setdefault(code, [])
        if len(examples) < EXAMPLES:
            examples.append(place)

    def total(self, code: str) -> int:
        """All cases of one code."""
        return sum(count for (found, _), count in self.counts.items() if found == code)

    def rows(self) -> list[OddityRow]:
        """One row for each code that occurs, in the order of ODDITIES."""
        return [
            OddityRow(code, *rule, self.total(code), self._by_language(code), self.examples[code])
            for code, rule in ODDITIES.items()
            if self.total(code)
        ]

    def _by_language(self, code: str) -> dict[str, int]:
        return {
            language: count
            for (found, language), count in sorted(self.counts.items())
            if found == code and language
        }
