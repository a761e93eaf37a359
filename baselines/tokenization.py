"""The tokens of a text for search by words: English words, Chinese characters and their pairs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bm25s.stopwords import STOPWORDS_EN

# bm25s.tokenize's own rule: words of two signs or more, without its 33 English stop words.
_WORD = re.compile(r"(?u)\b\w\w+\b")
_STOP = frozenset(STOPWORDS_EN)
# Unified ideographs, extension A, compatibility ideographs and the supplementary planes.
_IDEOGRAPHS = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")


def tokens(text: str) -> list[str]:
    """The tokens of `text`, in order of their kind: words first, then ideographs.

    Words are lower-cased, of two letters or digits at least, without English stop words and
    without stemming, as `bm25s.tokenize` has them by default. A run of ideographs gives its
    characters and its pairs of neighbours: no dictionary, and no segmentation to disagree on.
    """
    lowered = text.lower()
    found = [word for word in _WORD.findall(_IDEOGRAPHS.sub(" ", lowered)) if word not in _STOP]
    for run in _IDEOGRAPHS.findall(lowered):
        found += run
        found += (run[at : at + 2] for at in range(len(run) - 1))
    return found


def joined(text: Mapping[str, str]) -> str:
    """The fields of one video's text as one text, a field a line."""
    return "\n".join(text.values())
