"""The tokens of a text for lexical search: English words, Chinese characters and their pairs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bm25s.stopwords import STOPWORDS_EN

# The rule of bm25s.tokenize: words of two characters or more, without its 33 English stop words.
_WORD = re.compile(r"(?u)\b\w\w+\b")
_STOP = frozenset(STOPWORDS_EN)
# Unified ideographs, extension A, compatibility ideographs and the supplementary planes.
_IDEOGRAPHS = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")


def tokenize(text: str) -> list[str]:
    """The tokens of `text`: first all words, then ideographs.

    Words are lower-cased, have at least two letters or digits, are no English stop words and are
    not stemmed, as in `bm25s.tokenize` by default. A run of ideographs gives its characters and its
    pairs of neighbours; this needs no dictionary and no word segmentation.
    """
    lowered = text.lower()
    tokens = [word for word in _WORD.findall(_IDEOGRAPHS.sub(" ", lowered)) if word not in _STOP]
    for run in _IDEOGRAPHS.findall(lowered):
        tokens += run
        tokens += (run[at : at + 2] for at in range(len(run) - 1))
    return tokens


def join_fields(text: Mapping[str, str]) -> str:
    """The fields of one video's text as one text, one line for each field."""
    return "\n".join(text.values())
