"""A vocabulary made from the train split: words and ideographs, and the pieces that spell them.

A token is a word (letters or digits) or one ideograph. The pieces of a word are the word and its
groups of three characters, with marks at both ends; those of an ideograph are the ideograph and its
pairs with the neighbours, so that words of two ideographs are known without a dictionary. A token
is the sum of its pieces' vectors, so a word that training did not show still has some of them
(Bojanowski et al., TACL 2017, https://arxiv.org/abs/1607.04606).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{IDEOGRAPHS}]|(?:(?![{IDEOGRAPHS}])[^\W_])+(?:'[a-z]+)?")
_IDEOGRAPH = re.compile(rf"[{IDEOGRAPHS}]")
LEAST = 3  # texts of the train split in which a piece stands
MAX_TOKENS = 96  # of a text: the last ones, as the latest words of a dialogue matter most
MAX_PIECES = 16  # of a token: the first ones
MAX_VOCABULARY = 50_000  # the most frequent pieces


class Vocabulary(Struct, frozen=True, dict=True):
    """The pieces that training showed, in order of their numbers, which start at 1."""

    pieces: tuple[str, ...]

    @classmethod
    def of_texts(cls, texts: Iterable[str], least: int = LEAST) -> Vocabulary:
        """The pieces that stand in `least` texts or more; all if there are none."""
        counts = Counter(
            piece for text in texts for piece in {p for token in token_pieces(text) for p in token}
        )
        frequent = [piece for piece, count in counts.items() if count >= least] or list(counts)
        frequent.sort(key=lambda piece: (-counts[piece], piece))
        return cls(tuple(sorted(frequent[:MAX_VOCABULARY])))

    @property
    def size(self) -> int:
        """How many numbers there are, 0 for none included."""
        return len(self.pieces) + 1

    def encode(self, text: str) -> NDArray[np.int64]:
        """The numbers of the pieces of each token, padded with 0: (tokens, MAX_PIECES).

        A text without a token is one token without a piece.
        """
        tokens = token_pieces(text)[-MAX_TOKENS:] or [()]
        rows = np.zeros((len(tokens), MAX_PIECES), np.int64)
        for row, pieces in zip(rows, tokens, strict=True):
            known = [self._numbers[piece] for piece in pieces if piece in self._numbers]
            row[: len(known[:MAX_PIECES])] = known[:MAX_PIECES]
        return rows

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {piece: number for number, piece in enumerate(self.pieces, 1)}


def token_pieces(text: str) -> list[Sequence[str]]:
    """The pieces of each token of a text, in order."""
    tokens = _TOKEN.findall(text.lower())
    edges = ["", *tokens, ""]
    return [
        _ideograph_pieces(*edges[at : at + 3]) if _IDEOGRAPH.match(token) else _word_pieces(token)
        for at, token in enumerate(tokens)
    ]


def _word_pieces(word: str) -> list[str]:
    marked = f"^{word}$"
    return [word, *(marked[at : at + 3] for at in range(len(marked) - 2))]


def _ideograph_pieces(before: str, own: str, after: str) -> list[str]:
    """The ideograph, its pair with the one before and with the one after; ^ and $: none there."""
    left = before if _IDEOGRAPH.match(before) else "^"
    right = after if _IDEOGRAPH.match(after) else "$"
    return [own, f"<{left}{own}", f">{own}{right}"]


def to_facts(vocabulary: Vocabulary) -> list[str]:
    """A vocabulary as plain JSON values, for checkpoint.json."""
    return list(vocabulary.pieces)


def from_facts(value: object) -> Vocabulary:
    """The vocabulary that `to_facts` wrote. Raises msgspec.ValidationError at other values."""
    return Vocabulary(msgspec.convert(value, tuple[str, ...]))
