"""All differences of a table, packed: rounded as they are shown, in eleven characters a pair.

Whole numbers in the digits of base 64. The pages and their script (assets/compare.js) read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import ArrayLike, NDArray

from leaderboard.board.records import Pair, Pairs

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
ALPHABET = np.frombuffer(DIGITS, dtype=np.uint8)
NOTHING = 0  # the code of an undefined number
MIDDLE = 2048  # the code of 0
WIDTH = 11  # characters of a pair: four numbers of two, p of three
P_STEPS = 10_000
EFFECT_STEPS = 100


def steps(unit: str) -> int:
    """How many of the smallest differences that are shown make up one: of a share, tenths of %."""
    return 1000 if unit == "share" else 100


class Shown(NamedTuple):
    """What is shown of differences, each (pairs,); NaN where undefined."""

    values: Floats
    lows: Floats
    highs: Floats
    effects: Floats


def pack(keys: Sequence[str], found: Shown, ps: ArrayLike, unit: str) -> Pairs:
    """All pairs of `keys`, in the order of triu_indices, rounded to what is shown of them.

    p is rounded up, so that what is not significant does not become so.
    """
    size = steps(unit)
    factors = (size, size, size, EFFECT_STEPS)
    numbers = [_codes(column, factor) for column, factor in zip(found, factors, strict=True)]
    raised = np.ceil(np.asarray(ps) * P_STEPS - 1e-6).astype(int)
    digits = [
        code >> 6 * place & 63
        for code, width in (*((number, 2) for number in numbers), (raised, 3))
        for place in reversed(range(width))
    ]
    return Pairs(tuple(keys), size, ALPHABET[np.stack(digits, axis=1)].tobytes().decode())


def unpack(pairs: Pairs) -> Shown:
    """The differences of all pairs as they are shown."""
    codes = _read(pairs.packed)
    return Shown(
        *(
            np.where(code == NOTHING, np.nan, (code - MIDDLE) / factor)
            for code, factor in zip(codes, (*(pairs.steps,) * 3, EFFECT_STEPS), strict=False)
        )
    )


def p_values(pairs: Pairs) -> Floats:
    """p of all pairs, in the order of triu_indices, rounded up as it is shown."""
    return _read(pairs.packed)[4] / P_STEPS


def against_first(pairs: Pairs) -> list[Pair]:
    """The first of `keys` minus each of the others."""
    others = pairs.keys[1:]
    part = replace(pairs, packed=pairs.packed[: WIDTH * len(others)])
    rows = zip(*(map(_defined, column) for column in unpack(part)), strict=True)
    ps = p_values(part)
    return [
        Pair(pairs.keys[0], other, value or 0.0, low, high, effect, p)
        for other, (value, low, high, effect), p in zip(others, rows, ps.tolist(), strict=True)
    ]


def _codes(values: Floats, factor: int) -> Ints:
    rounded = np.clip(np.round(np.nan_to_num(values) * factor), 1 - MIDDLE, MIDDLE - 1)
    return np.where(np.isnan(values), NOTHING, rounded + MIDDLE).astype(int)


def _read(packed: str) -> list[Ints]:
    """The codes of four numbers and of p, each (pairs,)."""
    places = np.argsort(ALPHABET)
    found = np.frombuffer(packed.encode(), dtype=np.uint8).reshape(-1, WIDTH)
    digits = places[np.searchsorted(ALPHABET, found, sorter=places)]
    pairs = [64 * digits[:, place] + digits[:, place + 1] for place in (0, 2, 4, 6)]
    return [*pairs, 64 * (64 * digits[:, 8] + digits[:, 9]) + digits[:, 10]]


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
