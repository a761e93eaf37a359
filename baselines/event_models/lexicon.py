"""Which phrase of a language names which annotated value, found by counting; and reading by it.

For each language, each phrase (an English word, one to four Chinese characters) is set against
each value by Dunning's G^2 (Computational Linguistics 19(1), 1993): how much more often the phrase
stands in an utterance where the gold video shows the value than where it does not. Phrases and
values are matched one to one, the strongest pair first. Whoever reads by a lexicon sees of such a
phrase which attribute it speaks of, and the value apart: so what is learnt of one colour holds for
all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from baselines.base import LabelledSplit
from baselines.event_models.event_annotations import Annotations

LONGEST = 4  # ideographs of a phrase
LEAST = 5  # utterances that a phrase stands in
MOST_PHRASES = 20_000
STRONG = 10.83  # G^2 that chance exceeds once in a thousand (one degree of freedom)
NO_VALUE = -1
_PIECES = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+|[^\W_\u3400-\u9fff]+|[^\w\s]")
_IDEOGRAPH = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_STOPS = frozenset(".?!。？！")  # that close an utterance and divide nothing in it


class Said(NamedTuple):
    """A training utterance, and the numbers of the values that its gold video shows."""

    text: str
    language: str
    values: frozenset[int]


class Tokens(NamedTuple):
    """A text's tokens: what stands there, and the value that it names (NO_VALUE: none)."""

    inputs: list[int]
    values: list[int]


class Lexicon(Struct, frozen=True):
    """phrases: by language and phrase the value's number. words: all other known tokens, in order.

    kinds: by value the number of its attribute, which is the token that stands for its phrases.
    """

    phrases: dict[str, dict[str, int]]
    words: dict[str, int]
    kinds: list[int]

    @property
    def size(self) -> int:
        """How many different inputs there are; 0 is an unknown token."""
        return 1 + max(self.kinds, default=-1) + 1 + len(self.words)

    def read(self, text: str, language: str) -> Tokens:
        """The tokens of `text`: at each place the longest phrase, else a word or an ideograph."""
        inputs, values = [], []
        known = self.phrases.get(language, {})
        for token in _tokens(text, known):
            value = known.get(token, NO_VALUE)
            values.append(value)
            inputs.append(self.words.get(token, 0) if value < 0 else 1 + self.kinds[value])
        return Tokens(inputs, values)


def of(training: LabelledSplit, found: Annotations) -> Lexicon:
    """The lexicon of a train split: its utterances about videos, with all that scripts name."""
    said = []
    for turn, gold in zip(training.turns, training.gold, strict=True):
        script = found.scripts.get(gold.video_id or "")
        if script is not None and turn.task != "chat":
            values = {value for event in script.events for value in event.values}
            said.append(Said(turn.utterance, turn.language, frozenset(values | {*script.values})))
    kinds = [at for at, attribute in enumerate(found.attributes) for _ in attribute.values]
    return lexicon(said, kinds)


def lexicon(said: Sequence[Said], kinds: Sequence[int]) -> Lexicon:
    """The lexicon of training utterances; `kinds` has the attribute's number for each value.

    Words are kept that stand in LEAST utterances or more.
    """
    phrases = {
        language: dict(_matched([each for each in said if each.language == language], len(kinds)))
        for language in sorted({each.language for each in said})
    }
    counts: Counter[str] = Counter()
    for each in said:
        known = phrases[each.language]
        counts.update({token for token in _tokens(each.text, known) if token not in known})
    first = 1 + max(kinds, default=-1) + 1
    words = sorted(word for word, count in counts.items() if count >= LEAST)
    return Lexicon(phrases, {word: first + at for at, word in enumerate(words)}, list(kinds))


def _matched(said: Sequence[Said], values: int) -> Iterator[tuple[str, int]]:
    """Phrases of one language with their values: one to one, strongest first."""
    where = _places(said)
    phrases = sorted(where, key=lambda phrase: (-len(phrase), phrase))
    if not phrases:
        return
    present = np.zeros((len(phrases), len(said)), np.float32)
    for row, phrase in enumerate(phrases):
        present[row, where[phrase]] = 1
    shown = np.zeros((len(said), values), np.float32)
    for row, each in enumerate(said):
        shown[row, list(each.values)] = 1
    strength = np.round(g_squared(present @ shown, present.sum(1), shown.sum(0), len(said)), 6)
    order = np.argsort(-strength, axis=None, kind="stable")  # ties go to the longer phrase
    used: set[str] = set()
    named: set[int] = set()
    for phrase_at, value in zip(*np.unravel_index(order, strength.shape), strict=True):
        if strength[phrase_at, value] < STRONG or len(named) == values:
            return
        phrase = phrases[phrase_at]
        # A part of a Chinese phrase that names one value already does not name another.
        if value not in named and not any(map(partial(_share, phrase), used)):
            used.add(phrase)
            named.add(int(value))
            yield phrase, int(value)


def _share(one: str, other: str) -> bool:
    """Whether one of two phrases is the other, or, without spaces between words, a part of it."""
    if one == other:
        return True
    return bool(_IDEOGRAPH.match(one)) and (one in other or other in one)


def g_squared(
    both: NDArray[np.float32],
    phrase: NDArray[np.float32],
    value: NDArray[np.float32],
    total: int,
) -> NDArray[np.float64]:
    """G^2 of counts: (phrases, values), (phrases,), (values,); 0 where they shun each other."""
    a = both.astype(np.float64)
    b, c = phrase[:, None] - a, value[None] - a
    d = total - a - b - c
    observed = np.stack([a, b, c, d])
    rows = np.stack([a + b, a + b, c + d, c + d])
    columns = np.stack([a + c, b + d, a + c, b + d])
    expected = rows * columns / max(total, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(observed > 0, observed * np.log(observed / expected), 0)
    return np.asarray(np.where(a > expected[0], 2 * parts.sum(0), 0))


def _places(said: Sequence[Said]) -> dict[str, list[int]]:
    """By phrase the utterances that it stands in; the commonest MOST_PHRASES of LEAST or more."""
    where: dict[str, list[int]] = {}
    for at, each in enumerate(said):
        for phrase in set(_candidates(each.text)):
            where.setdefault(phrase, []).append(at)
    common = sorted(where, key=lambda phrase: (-len(where[phrase]), phrase))[:MOST_PHRASES]
    return {phrase: where[phrase] for phrase in common if len(where[phrase]) >= LEAST}


def _candidates(text: str) -> Iterable[str]:
    for piece in _PIECES.findall(text.lower()):
        if _IDEOGRAPH.match(piece):
            for size in range(1, LONGEST + 1):
                yield from (piece[at : at + size] for at in range(len(piece) - size + 1))
        else:
            yield piece


def _tokens(text: str, known: dict[str, int]) -> Iterator[str]:
    for piece in _PIECES.findall(text.lower()):
        if not _IDEOGRAPH.match(piece):
            if piece not in _STOPS:
                yield piece
            continue
        at = 0
        while at < len(piece):
            ahead = (piece[at : at + size] for size in range(LONGEST, 1, -1))
            token = next((phrase for phrase in ahead if phrase in known), piece[at])
            yield token
            at += len(token)
