"""A reply made plain before it is read: widths, case, dashes and numerals."""

from __future__ import annotations

import re

LONGEST = 20_000  # characters of a reply that are read
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_CIRCLED = {0x2460 + n: f"({n + 1})" for n in range(20)}
_MARKS = {
    **dict.fromkeys(map(ord, "‐‑‒–—―−﹣"), "-"),
    **dict.fromkeys(map(ord, "〜∼～"), "~"),
    **dict.fromkeys(map(ord, "→⇒➔➜"), "->"),
    **dict.fromkeys(map(ord, "“”„″"), '"'),
    **dict.fromkeys(map(ord, "‘’′"), "'"),
    **dict.fromkeys(map(ord, "\u3000\u00a0\u202f\u2009"), " "),
    **dict.fromkeys(map(ord, "【〔「『"), "["),
    **dict.fromkeys(map(ord, "】〕」』"), "]"),
    ord("。"): ". ",
    ord("、"): ", ",
    ord("個"): "个",
    ord("視"): "视",
    ord("頻"): "频",
    ord("號"): "号",
    ord("鐘"): "钟",
    ord("開"): "开",
    ord("結"): "结",
    ord("從"): "从",
    ord("選"): "选",
    ord("項"): "项",
    ord("間"): "间",
    ord("兩"): "两",
}
_PLAIN: dict[int, str | int | None] = {
    **_CIRCLED,
    **_MARKS,
    **{code: mark for code, mark in _WIDE.items() if code != 0xFF5E},
}

_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen"),
    *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {
    **{word: n for n, word in enumerate(_ONES, start=1)},
    **{word: n for n, word in enumerate(_TEENS, start=10)},
    **{word: 10 * n for n, word in enumerate(_TENS, start=2)},
}
_WORD = re.compile(
    rf"(?<![a-z])(?:({'|'.join(_TENS)})[- ]({'|'.join(_ONES)})|({'|'.join(_WORDS)}))(?![a-z])"
)
_HAN = {mark: n for n, mark in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
# 一 is no number in 一共 (altogether), 一直 (all along), 一开始 (at first), 一些 (some).
_HAN_NUMBER = re.compile(
    r"([零〇一二两三四五六七八九十百]{1,7})"
    r"(?:点([零〇一二三四五六七八九]{1,3})(?![零〇一二三四五六七八九]))?"
    r"(?<!一(?=[共直开些样般起下定边旁会切样旦再度致]))"
)
_UNFINISHED = re.compile(
    r"(?:(?<![0-9.:,'-])[0-9][0-9.:,'-]*+\s?"
    r"(?:h(?:ou?r?s?|rs?)?|m(?:in?(?:ute?)?s?|s)?|s(?:ec?(?:ond?)?s?)?|分钟?|点|第)?"
    r"|(?<![a-z])[a-z]++|[十百零]++)\Z"
)
_HALF = re.compile(r"(?<=[0-9])分半钟?")
_HUNDREDS = re.compile(
    r"(?:([一二两三四五六七八九])百)?零?(?:([一二三四五六七八九]?)(十))?([一二两三四五六七八九]?)"
)


def plain(text: str, *, cut: bool = False) -> str:
    """The first LONGEST characters in lower case, with ASCII digits, dashes and brackets.

    Number words of both languages (one to ninety-nine, 一 to 九百九十九, 三点五) become digits.
    cut: the text was cut off, so its last number or word, which may go on, is left out.
    """
    kept = text[:LONGEST].translate(_PLAIN).lower()
    digits = _HAN_NUMBER.sub(_han, _WORD.sub(_word, kept))
    whole = _HALF.sub("分30秒", digits).replace("半分钟", "30秒")
    return _UNFINISHED.sub("", whole) if cut else whole


def _word(match: re.Match[str]) -> str:
    tens, ones, alone = match.groups()
    return str(_WORDS[alone] if alone else _WORDS[tens] + _WORDS[ones])


def _han(match: re.Match[str]) -> str:
    whole = _han_integer(match[1])
    if whole is None:
        return match[0]
    return str(whole) + ("." + "".join(str(_HAN[mark]) for mark in match[2]) if match[2] else "")


def _han_integer(run: str) -> int | None:
    if len(run) == 1 and run in _HAN:
        return _HAN[run]
    parts = _HUNDREDS.fullmatch(run)
    if parts is None:
        return None
    hundreds, tens, ten, ones = parts.groups()
    return (
        100 * _HAN.get(hundreds or "", 0)
        + (10 * _HAN.get(tens, 1) if ten else 0)
        + _HAN.get(ones, 0)
    )
