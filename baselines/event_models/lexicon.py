"""A lexicon: which phrase of a language names which annotated value, counted on the train split.

For each language, each phrase (an English word, one to four Chinese characters) is compared with
each value by Dunning's G^2 (Computational Linguistics 19(1), 1993): how much more often the phrase
occurs in utterances whose gold video shows the value than in others. Phrases and values are matched
one to one, the strongest pair first. A text that is tokenized with a lexicon shows of such a phrase
only its attribute; its value is stored separately. So a rule that is trained on one colour holds
for all.
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
from baselines.event_models.event_annotations import EventAnnotations

MAX_IDEOGRAPHS = 4  # of a phrase
MIN_COUNT = 5  # utterances that hold a phrase or word
MAX_PHRASES = 20_000
SIGNIFICANT = 10.83  # G^2 that chance exceeds once in a thousand (one degree of freedom)
NO_VALUE = -1
_PIECES = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+|[^\W_\u3400-\u9fff]+|[^\w\s]")
_IDEOGRAPH = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_END_MARKS = frozenset(".?!。？！")  # they end an utterance and separate nothing in it


class LabelledUtterance(NamedTuple):
    """A training utterance, and the numbers of the values that its gold video shows."""

    text: str
    language: str
    values: frozenset[int]


class LexiconTokens(NamedTuple):
    """A text's tokens: the input of each, and the value that it names (NO_VALUE: none)."""

    inputs: list[int]
    values: list[int]


class Lexicon(Struct, frozen=True):
    """Numbers of phrases and words.

    phrases: by language and phrase the value's number. words: the inputs of all other known tokens.
    kinds: by value the number of its attribute; the phrases of one attribute share one input.
    """

    phrases: dict[str, dict[str, int]]
    words: dict[str, int]
    kinds: list[int]

    @property
    def size(self) -> int:
        """The number of different inputs; 0 is an unknown token."""
        return 1 + max(self.kinds, default=-1) + 1 + len(self.words)

    def tokenize(self, text: str, language: str) -> LexiconTokens:
        """The tokens of `text`: at each place the longest phrase, else a word or an ideograph."""
        inputs, values = [], []
        known = self.phrases.get(language, {})
        for token in _tokens(text, known):
            value = known.get(token, NO_VALUE)
            values.append(value)
            inputs.append(self.words.get(token, 0) if value < 0 else 1 + self.kinds[value])
        return LexiconTokens(inputs, values)


def split_lexicon(training: LabelledSplit, annotations: EventAnnotations) -> Lexicon:
    """The lexicon of a train split: its utterances about videos, and the values of those videos."""
    utterances = []
    for turn, gold in zip(training.turns, training.gold, strict=True):
        video = annotations.videos.get(gold.video_id or "")
        if video is not None and turn.task != "chat":
            values = {*video.values, *(value for event in video.events for value in event.values)}
            utterances.append(LabelledUtterance(turn.utterance, turn.language, frozenset(values)))
    kinds = [at for at, attribute in enumerate(annotations.attributes) for _ in attribute.values]
    return build_lexicon(utterances, kinds)


def build_lexicon(utterances: Sequence[LabelledUtterance], kinds: Sequence[int]) -> Lexicon:
    """The lexicon of training utterances; `kinds` has the attribute's number for each value.

    It holds the words that occur in MIN_COUNT utterances or more.
    """
    phrases = {
        language: dict(
            _match_phrases([each for each in utterances if each.language == language], len(kinds))
        )
        for language in sorted({each.language for each in utterances})
    }
    counts: Counter[str] = Counter()
    for each in utterances:
        known = phrases[each.language]
        counts.update({token for token in _tokens(each.text, known) if token not in known})
    first = 1 + max(kinds, default=-1) + 1
    words = sorted(word for word, count in counts.items() if count >= MIN_COUNT)
    return Lexicon(phrases, {word: first + at for at, word in enumerate(words)}, list(kinds))


def _match_phrases(
    utterances: Sequence[LabelledUtterance], values: int
) -> Iterator[tuple[str, int]]:
    """Phrases of one language with their values: one to one, strongest first."""
    where = _occurrences(utterances)
    phrases = sorted(where, key=lambda phrase: (-len(phrase), phrase))
    if not phrases:
        return
    present = np.zeros((len(phrases), len(utterances)), np.float32)
    for row, phrase in enumerate(phrases):
        present[row, where[phrase]] = 1
    shown = np.zeros((len(utterances), values), np.float32)
    for row, each in enumerate(utterances):
        shown[row, list(each.values)] = 1
    total = len(utterances)
    strength = np.round(g_squared(present @ shown, present.sum(1), shown.sum(0), total), 6)
    order = np.argsort(-strength, axis=None, kind="stable")  # ties go to the longer phrase
    used: set[str] = set()
    named: set[int] = set()
    for phrase_at, value in zip(*np.unravel_index(order, strength.shape), strict=True):
        if strength[phrase_at, value] < SIGNIFICANT or len(named) == values:
            return
        phrase = phrases[phrase_at]
        # A part of a Chinese phrase that names one value already does not name another.
        if value not in named and not any(map(partial(_overlap, phrase), used)):
            used.add(phrase)
            named.add(int(value))
            yield phrase, int(value)


def _overlap(one: str, other: str) -> bool:
    """Whether two phrases are equal or, in Chinese, one is a part of the other."""
    if one == other:
        return True
    return bool(_IDEOGRAPH.match(one)) and (one in other or other in one)


def g_squared(
    both: NDArray[np.float32],
    phrase: NDArray[np.float32],
    value: NDArray[np.float32],
    total: int,
) -> NDArray[np.float64]:
    """G^2 of each phrase and value, (phrases, values), from the numbers of utterances with them.

    both: (phrases, values), phrase: (phrases,), value: (values,); total: all utterances. 0 where a
    phrase and a value occur together less often than by chance.
    """
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


def _occurrences(utterances: Sequence[LabelledUtterance]) -> dict[str, list[int]]:
    """By phrase the utterances that hold it: at least MIN_COUNT; the most frequent MAX_PHRASES."""
    where: dict[str, list[int]] = {}
    for at, each in enumerate(utterances):
        for phrase in set(_candidates(each.text)):
            where.setdefault(phrase, []).append(at)
    common = sorted(where, key=lambda phrase: (-len(where[phrase]), phrase))[:MAX_PHRASES]
    return {phrase: where[phrase] for phrase in common if len(where[phrase]) >= MIN_COUNT}


def _candidates(text: str) -> Iterable[str]:
    for piece in _PIECES.findall(text.lower()):
        if _IDEOGRAPH.match(piece):
            for size in range(1, MAX_IDEOGRAPHS + 1):
                yield from (piece[at : at + size] for at in range(len(piece) - size + 1))
        else:
            yield piece


def _tokens(text: str, known: dict[str, int]) -> Iterator[str]:
    for piece in _PIECES.findall(text.lower()):
        if not _IDEOGRAPH.match(piece):
            if piece not in _END_MARKS:
                yield piece
            continue
        at = 0
        while at < len(piece):
            ahead = (piece[at : at + size] for size in range(MAX_IDEOGRAPHS, 1, -1))
            token = next((phrase for phrase in ahead if phrase in known), piece[at])
            yield token
            at += len(token)
