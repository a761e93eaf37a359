"""All differences of a table in little room: as they are shown, in eleven characters a pair.

Whole numbers in the digits of base 64. The pages and their script (assets/compare.js) read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from harness.statistics import Differences
from leaderboard.records import Pair, Pairs

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
NOTHING = 0  # the code of an undefined number
MIDDLE = 2048  # the code of 0
WIDTH = 11  # characters of a pair: four numbers of two, p of three
P_STEPS = 10_000
EFFECT_STEPS = 100


def steps(unit: str) -> int:
    """How many of the smallest differences that are shown make up one: of a share, tenths of %."""
    return 1000 if unit == "share" else 100


def pack(keys: Sequence[str], found: Differences, ps: Sequence[float], unit: str) -> Pairs:
    """All pairs of `keys`, in the order of triu_indices, rounded to what is shown of them.

    p is rounded up, so that what is not significant does not become so.
    """
    size = steps(unit)
    numbers = [
        _codes(column, factor)
        for column, factor in (
            (found.values, size),
            (found.lows, size),
            (found.highs, size),
            (found.effects, EFFECT_STEPS),
        )
    ]
    raised = np.ceil(np.asarray(ps) * P_STEPS - 1e-6).astype(int)
    rows = zip(*(column.tolist() for column in (*numbers, raised)), strict=True)
    text = "".join(
        "".join(_written(code, 2) for code in codes) + _written(p, 3) for *codes, p in rows
    )
    return Pairs(tuple(keys), size, text)


def unpack(pairs: Pairs) -> Iterator[Pair]:
    """Each pair, the earlier of `keys` minus the later."""
    places = ((n, m) for n in range(len(pairs.keys)) for m in range(n + 1, len(pairs.keys)))
    for number, (n, m) in enumerate(places):
        text = pairs.packed[WIDTH * number : WIDTH * (number + 1)]
        value, low, high = (_number(text[k : k + 2], pairs.steps) for k in (0, 2, 4))
        effect, p = _number(text[6:8], EFFECT_STEPS), _read(text[8:]) / P_STEPS
        yield Pair(pairs.keys[n], pairs.keys[m], value or 0.0, low, high, effect, p)


def _codes(values: np.ndarray, factor: int) -> np.ndarray:
    rounded = np.clip(np.round(np.nan_to_num(values) * factor), 1 - MIDDLE, MIDDLE - 1)
    return np.where(np.isnan(values), NOTHING, rounded + MIDDLE).astype(int)


def _written(code: int, width: int) -> str:
    return "".join(DIGITS[code >> 6 * place & 63] for place in reversed(range(width)))


def _read(text: str) -> int:
    code = 0
    for digit in text:
        code = 64 * code + DIGITS.index(digit)
    return code


def _number(text: str, factor: int) -> float | None:
    code = _read(text)
    return None if code == NOTHING else (code - MIDDLE) / factor
