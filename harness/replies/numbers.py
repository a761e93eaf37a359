"""The candidate that a reply names, in English or Chinese, by its number.

A mention is a number with a word or mark that makes it a candidate's ("video 3", "the 10th video",
"第3个视频", "#4"). Of several mentions the first counts, unless the reply marks one as its answer;
denied ones ("not video 3 but video 5"), lists ("videos 1-10") and counts ("2 people") are left out.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from operator import attrgetter
from typing import NamedTuple

from harness.records import CANDIDATES
from harness.replies.normalise import plain
from harness.replies.reading import EMPTY, NO_NUMBER, OUT_OF_RANGE, REFUSAL, Reading

_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth"),
    *("seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
)
ORDINALS = {word: n for n, word in enumerate(_ORDINALS, start=1)}
_N = r"(?P<n>[0-9]++)"
_NOUN = r"(?:videos?|vids?|clips?|candidates?|options?|choices?|footage|results?)"
_HAN_NOUN = r"(?:视频|候选(?:视频|项|片段)?|选项|片段|影片|录像|短片)"
_CLASSIFIER = r"(?:个|位的?|段|条|部|支|则|份|项|号)"
_ORDINAL = rf"(?:(?<![0-9.:]){_N}(?:st|nd|rd|th)|(?<![a-z])(?P<word>{'|'.join(ORDINALS)}))"
# Named candidates, then mentions by position or mark alone.
_NAMED = (
    rf"(?<![a-z]){_NOUN}(?:\s(?:video|clip))?\s*+"
    rf"(?:(?:numbered|number|no\b|num\b|id\b|index|[:=#.*(\[<_\"'-])[\s.]*+){{0,4}}+{_N}",
    rf"(?<![a-z])video is\s++{_N}(?=\s*(?:$|[.,;!\n]))",
    rf"{_ORDINAL}\s++(?:candidate |matching )?{_NOUN}(?![a-z])",
    rf"<vid>\s*+{_N}\s*+</vid>",
    rf"{_HAN_NOUN}\s*+(?:(?:编号|序号|号码|第|为|是|[:=#.*(\[\"'-])\s*+){{0,4}}+{_N}(?![0-9]*{_CLASSIFIER}?人)",
    rf"第\s*+{_N}\s*+{_CLASSIFIER}?\s*+(?:候选)?{_HAN_NOUN}",
    rf"(?<![0-9.:]){_N}\s*+号",
    rf"(?:编号|序号)\s*+(?:为|是|:)?\s*+{_N}",
)
_MARKED = (
    rf"#\s*+{_N}",
    rf"(?<![a-z])(?:no\.|number|position|label(?:l?ed)?|numbered|marked)\s*+{_N}",
    rf"(?<![a-z])(?:probably|maybe|perhaps|likely)\s++{_N}(?=\s*(?:$|[.,;!]))",
    rf"\(\s*+{_N}\s*+\)",
    rf"\[\s*+{_N}\s*+\]",
    # "the 3rd one": number words have become digits.
    rf"{_ORDINAL}\s++1(?![0-9]|[.:][0-9])",
    rf"(?<![a-z])the\s++{_ORDINAL}(?=\s*(?:$|[.,;!])| (?:is|matches|fits)(?![a-z]))",
    rf"第\s*+{_N}\s*+{_CLASSIFIER}(?=\s*(?:$|[^\u4e00-\u9fff]|[最是符匹更就吧才和与都]))",
)
_ANSWER = re.compile(
    r"(?<![a-z])(?:final answer|answer|my choice|my pick|best match"
    r"|i (?:would )?(?:pick|choose|select)|go with)(?![a-z])"
    r"|(?<![a-z])(?:so:|therefore)|答案|我选|选择|最终选择|应该?选择?|应为"
)
_AFTER_ANSWER = re.compile(rf"[\s:=*\"']*+(?:is|would be|是|为)?[\s:=*\"'(\[]*+{_N}")
_WHOLE = re.compile(
    rf"[\s\"'*`(\[<]*+(?:it(?:'s| is) |是|选择?)?{_N}(?:st|nd|rd|th)?[\s\"'*`)\]>.,!]*"
)
# What follows a number that counts or times something, or begins a list.
_COUNT = re.compile(
    r"\.[0-9]|:[0-9]{2}|\s*+(?:(?:-\s?)?(?:s|sec|secs|seconds?|min|mins|minutes?|hours?|fps|p|x|times?"
    r"|people|persons?|men|women|girls?|boys?|kids?|years?)(?![a-z])|%|秒|分|小时|人|名|次|位|岁|只)"
)
_LIST = re.compile(
    r"\s*+(?:-|~|to|through|到|至)\s*+[0-9]++(?:\.[0-9]++)?+\s*+(?:s|sec|seconds?|秒)?(?![a-z])"
    r"(?=\s*+(?:$|[.,;!?)\]\n]|:(?!\d)|中|里|都|match|are|all|的))"
)
_PLURAL = re.compile(r"(?:videos|vids|clips|candidates|options|results)(?![a-z])")
_TO_NUMBER = re.compile(r"\s*+(?:-|~|to|through)\s*+[0-9]")
_DENIED = re.compile(
    r"(?:(?<![a-z])(?:not|never|neither|nor|rather than|instead of|except(?: for)?|unlike)"
    r"|n't|不是|并非|而非|不在|除了|排除|不选)"
    r"(?: (?:in|the|a|from|be|really|at|found|think it's|it's))*\s*$"
)
_DENIED_AFTER = re.compile(
    r" (?:is|are) (?:wrong|incorrect|not (?:the|it|right|correct|a match))"
    r"| (?:does not|do not|doesn't|don't) (?:match|fit)"
    r"|[^\s,.;!?]{0,8}(?:不对|不是|不符|不匹配|不行|错)"
)
_REFUSAL = re.compile(
    r"(?<![a-z])(?:none|neither|no (?:video|match|candidate|clip|such)"
    r"|not (?:match|find|sure|found)|cannot|can't|unable|don't know|do not know|does not match"
    r"|sorry)(?![a-z])|都不|没有|无法|找不到|均不|不存在|不知道|抱歉"
)
_NEAR = 40  # characters looked at before a mention, and after an answer's mark


class _Mention(NamedTuple):
    start: int
    value: int


def number_in_words(text: str, candidates: int = CANDIDATES, *, cut: bool = False) -> Reading[int]:
    """The number, 1 to `candidates`, of the candidate that words name; or why there is none.

    cut: the words go on, so a number counts if it is marked as the answer or the only one.

    >>> number_in_words("It is the 10th video.").value, number_in_words("视频三").value
    (10, 3)
    """
    reply = plain(text, cut=cut)
    if not reply.strip():
        return Reading(None, EMPTY)
    named = _mentions(_NAMED_RE, reply)
    groups = [_marked_answers(reply, named), named]
    if not named:
        groups += [_mentions(_MARKED_RE, reply), _bare(reply)]
    for place, group in enumerate(groups):
        values = [each.value for each in group if 1 <= each.value <= candidates]
        if values and (not cut or place == 0 or len(set(values)) == 1):
            return Reading(values[0])
    if any(groups):
        return Reading(None, OUT_OF_RANGE)
    return Reading(None, REFUSAL if _REFUSAL.search(reply) else NO_NUMBER)


_NAMED_RE = tuple(map(re.compile, _NAMED))
_MARKED_RE = tuple(map(re.compile, _MARKED))


def _mentions(patterns: tuple[re.Pattern[str], ...], reply: str) -> list[_Mention]:
    found = (mention for pattern in patterns for mention in _matches(pattern, reply))
    return sorted(found)


def _matches(pattern: re.Pattern[str], reply: str) -> Iterator[_Mention]:
    for match in pattern.finditer(reply):
        groups = match.groupdict()
        word = groups.get("word")
        number = ORDINALS[word] if word else _integer(groups["n"])
        if not _other(reply, match):
            yield _Mention(match.start(), number)


def _other(reply: str, match: re.Match[str]) -> bool:
    """Whether the number counts, times or lists something, or is denied."""
    before = reply[max(match.start() - _NEAR, 0) : match.start()]
    if _DENIED.search(before) or _DENIED_AFTER.match(reply, match.end()):
        return True
    if _PLURAL.match(match[0]) and _TO_NUMBER.match(reply, match.end()):
        return True
    return bool(_COUNT.match(reply, match.end()) or _LIST.match(reply, match.end()))


def _integer(digits: str) -> int:
    """The number, or one past all candidates where it has more than six digits."""
    kept = digits.lstrip("0") or "0"
    return int(kept) if len(kept) <= 6 else 10**6


def _marked_answers(reply: str, named: list[_Mention]) -> list[_Mention]:
    """What the reply marks as its answer ("the answer is video 3"), the last mark first."""
    found = []
    for mark in reversed(list(_ANSWER.finditer(reply))):
        direct = _AFTER_ANSWER.match(reply, mark.end())
        if direct and not _other(reply, direct):
            found.append(_Mention(mark.end(), _integer(direct["n"])))
            continue
        after = bisect.bisect_left(named, mark.end(), key=attrgetter("start"))
        found += [each for each in named[after : after + 1] if each.start - mark.end() <= _NEAR]
    return found


def _bare(reply: str) -> list[_Mention]:
    """A number that is the whole reply."""
    match = _WHOLE.fullmatch(reply)
    return [_Mention(0, _integer(match["n"]))] if match else []
