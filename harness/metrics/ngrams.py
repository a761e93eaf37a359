"""Tokens and matching n-grams of one response, as sacreBLEU has them, at a bounded cost.

sacreBLEU rewrites each mark by a template and keeps every n-gram of a response in a table: 2.4 s
for a MiB of full stops. Only n-grams of the reference can match, so others are not kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

# mteval-v13a for western languages, as in sacreBLEU's TokenizerRegexp. One group of a match gets a
# space on both sides; of two, the second column says where the spaces are: _ for a group.
_MARKS = (
    (re.compile(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])"), " _ "),
    (re.compile(r"([^0-9])([\.,])"), "_ _ "),
    (re.compile(r"([\.,])([^0-9])"), " _ _"),
    (re.compile(r"([0-9])(-)"), "_ _ "),
)
# sacreBLEU writes the planes beyond the first as \\u20000, which is \\u2000 and a 0: hence the
# seventh and the eighth range.
_CHINESE = re.compile(
    "([\u3400-\u4db5\u4e00-\u9fa5\u9fa6-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9"
    "\u2001-\u2a6d\u2f81-\u2fa1\uff00-\uffef\u2e80-\u2eff\u3000-\u303f\u31c0-\u31ef"
    "\u2f00-\u2fdf\u2ff0-\u2fff\u3100-\u312f\u31a0-\u31bf\ufe10-\ufe1f\ufe30-\ufe4f"
    "\u2600-\u26ff\u2700-\u27bf\u3200-\u32ff\u3300-\u33ff])"
)
_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
Ids = NDArray[np.int64]


def tokens_13a(text: str) -> list[str]:
    """The tokens of a text in a western language: sacreBLEU's tokeniser 13a."""
    text = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return _set_apart(f" {text} ")


def tokens_zh(text: str) -> list[str]:
    """The tokens of a Chinese text: sacreBLEU's tokeniser zh, each Chinese character for itself."""
    return _set_apart(" ".join(_CHINESE.split(text.strip())))


TOKENS: dict[str, Callable[[str], list[str]]] = {"13a": tokens_13a, "zh": tokens_zh}


def matches(given: Sequence[str], wanted: Sequence[str], orders: int) -> Iterator[int]:
    """How many n-grams of `wanted` occur in `given`, for n from 1 to `orders`.

    Each as often as it occurs in both. An n-gram of `given` matters only where the one shorter is
    in `wanted`: n-grams of `wanted` have numbers, all others the same one.
    """
    index = {item: number for number, item in enumerate(dict.fromkeys(wanted))}
    words = len(index) + 1
    theirs = np.fromiter(map(index.get, given, repeat(words - 1)), np.int64, len(given))
    ours = np.fromiter(map(index.__getitem__, wanted), np.int64, len(wanted))
    mine, other, known = ours, theirs, words - 1
    for order in range(1, orders + 1):
        if order > 1:
            longer = mine[:-1] * words + ours[order - 1 :]
            distinct, mine = np.unique(longer, return_inverse=True)
            other = _numbers(other[:-1] * words + theirs[order - 1 :], distinct)
            known = len(distinct)
        counts = np.bincount(mine, minlength=known)
        found = np.bincount(other, minlength=known + 1)[:known]
        yield int(np.minimum(counts, found).sum())


def ngrams(items: Sequence[str], order: int) -> int:
    """The number of n-grams of that order in a sequence."""
    return max(len(items) - order + 1, 0)


def _numbers(keys: Ids, distinct: Ids) -> Ids:
    """The place of each key among the distinct ones; their number where it is none of them."""
    if not len(distinct):
        return np.zeros(len(keys), np.int64)
    places = np.minimum(np.searchsorted(distinct, keys), len(distinct) - 1)
    return np.where(distinct[places] == keys, places, len(distinct))


def _set_apart(text: str) -> list[str]:
    for marks, form in _MARKS:
        # By parts, not by a template of `sub`, which is expanded in Python for every match.
        parts = marks.split(text)
        step, width = marks.groups + 1, len(form) + 1
        spaced = [" "] * (len(parts) // step * width + 1)
        spaced[::width] = parts[::step]
        for group, place in enumerate((at for at in range(len(form)) if form[at] == "_"), start=1):
            spaced[place + 1 :: width] = parts[group::step]
        text = "".join(spaced)
    return text.split()
