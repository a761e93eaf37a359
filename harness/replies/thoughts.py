"""What of a reply is meant for the user: thoughts that a model writes down are no part of it.

Models mark thoughts by tags of many kinds: <think>, [THINK], ◁think▷, <seed:think>,
<|channel|>analysis ... A closing tag without an opening one ends thoughts that began with the
reply; an opening one without a closing one begins thoughts that never end. Tags of an answer end
thoughts too.
"""

from __future__ import annotations

import re

# Brackets of other scripts, one character for one, so that places in the text stay the same.
_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    **dict.fromkeys(map(ord, "◁〈⟨‹"), "<"),
    **dict.fromkeys(map(ord, "▷〉⟩›"), ">"),
    **dict.fromkeys(map(ord, "【〔"), "["),
    **dict.fromkeys(map(ord, "】〕"), "]"),
    **dict.fromkeys(map(ord, "▁"), "_"),
}
_THOUGHT = (
    r"(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflect(?:ion)?|analysis|scratch_?pad|cot"
    r"|chain[ _-]?of[ _-]?thoughts?|(?:inner[ _-])?monologue|思考|推理|思维链?)"
    r"(?:[ _-](?:process|content|steps?|trace|过程))?"
)
_IN_SQUARES = r"(?:think(?:ing)?|thoughts?|reasoning|思考|推理)"
_ANSWER = r"(?:final[ _-]?)?(?:answer|response|solution|output)|final|答案|回答"
_PREFIX = r"(?:[a-z]{1,20}[:_-]){0,2}?"  # seed:think, internal_thoughts
_START, _END = (
    r"(?:begin|start)(?:ing)?[ _-](?:of[ _-])?",
    r"(?:/|end(?:ing)?[ _-](?:of[ _-])?)",
)
_ATTRIBUTES = r"(?:\s[^<>]{0,80})?"
_TAG = re.compile(
    rf"""(?:
      (?:<|&lt;)\|?\s?(?P<angle_end>{_END})?(?:{_START})?{_PREFIX}
        (?:(?P<angle>{_THOUGHT})|(?P<angle_answer>{_ANSWER}))
        {_ATTRIBUTES}\s?(?P<empty>/)?\|?(?:>|&gt;)
    | \[\s?(?P<square_end>/)?(?:(?P<square>{_IN_SQUARES})|(?P<square_answer>{_ANSWER}))\s?\]
    | <\|?channel\|?>\s*(?:(?P<aside>analysis|commentary|thoughts?|thinking)|(?P<final>final))?
    | (?P<message_end><\|(?:end|return|call)\|>)
    | (?P<written_aside>here(?:'s|\sis)\smy\sthought\sprocess:)
    | (?P<written_answer>here(?:'s|\sis)\smy\sresponse:|(?<=[.!?"'\s\w])assistantfinal)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_COLON = re.compile(r"\s*+[:：]")
# Marks of a chat template around what is spoken.
_TEMPLATE = re.compile(
    r"<\|start\|>\s*assistant|<\|(?:message|end|return|im_end|eot_id|endoftext)\|>|</s>",
    re.IGNORECASE,
)
# A template whose tags were taken away: "analysisWe need ...assistantfinalIt is video 3."
_GLUED = re.compile(r"\s*analysis(?=[A-Z\u4e00-\u9fff])")
_QUICK = re.compile(
    r"[<\[&◁〈⟨‹＜【〔［]|assistantfinal|\A\s*analysis|my (?:thought|response)", re.IGNORECASE
)


def without_thoughts(text: str, *, cut: bool = False) -> str:
    """The reply without what stands in tags of thoughts, closed or not.

    cut: the reply was cut off, so thoughts that are not closed went on to its end.

    >>> without_thoughts("<think>Video 3? No.</think>It is video 7.")
    'It is video 7.'
    """
    if not _QUICK.search(text):
        return text
    plain, state = text.translate(_PLAIN), _Speech(text)
    if glued := _GLUED.match(plain):
        state.think(glued.end())
    for tag in _TAG.finditer(plain):
        kind = _kind(tag)
        if kind == "thought":
            state.speak(tag.start())
            state.think(tag.end())
        elif kind == "thought end":
            state.speak(tag.start())
            state.end_thought(tag.end())
        elif kind == "message end":
            state.speak(tag.start())
            state.depth, state.at = 0, tag.end()
        elif kind == "channel" or (kind == "answer" and not (cut and state.depth)):
            state.begin_answer(tag.end())
        elif kind == "answer end" and not state.depth:
            state.speak(tag.start())
            state.end_answer(tag.end())
    return _TEMPLATE.sub("", state.spoken(cut))


class _Speech:
    """What is spoken so far. depth: of thoughts; at: where the text after the last tag begins."""

    def __init__(self, text: str) -> None:
        self._text, self._answer = text, ""
        self._pieces: list[str] = []
        self.depth, self.at = 0, 0
        self._closed: int | None = None  # where the last closing tag of thoughts ends

    def speak(self, end: int) -> None:
        """Take the text up to `end`, unless it is a thought."""
        if not self.depth:
            self._pieces.append(self._text[self.at : end])
            self.at = end

    def think(self, at: int) -> None:
        self.depth, self.at, self._closed = self.depth + 1, at, None

    def end_thought(self, at: int) -> None:
        if not self.depth:
            self._pieces.clear()
        self.depth, self.at, self._closed = max(self.depth - 1, 0), at, at

    def begin_answer(self, at: int) -> None:
        self._pieces.clear()
        behind = _COLON.match(self._text, at)
        self.depth, self.at = 0, behind.end() if behind else at

    def end_answer(self, at: int) -> None:
        self._answer = "".join(self._pieces).strip() or self._answer
        self._pieces.clear()
        self.at = at

    def spoken(self, cut: bool) -> str:
        """The answer in tags of its own, else all that is no thought."""
        if self._answer:
            return self._answer
        if self.depth and self._closed is not None and not cut:
            # A tag was opened twice and closed once: the reply goes on after its thoughts.
            return self._text[self._closed :]
        self.speak(len(self._text))
        return "".join(self._pieces)


def _kind(tag: re.Match[str]) -> str | None:
    """What a tag does; None: nothing."""
    groups = tag.groupdict()
    if groups["empty"]:
        return None
    ends = " end" if groups["angle_end"] or groups["square_end"] else ""
    if groups["angle"] or groups["square"]:
        return f"thought{ends}"
    if groups["angle_answer"] or groups["square_answer"]:
        return f"answer{ends}"
    if groups["aside"] or groups["written_aside"]:
        return "thought"
    if groups["final"] or groups["written_answer"]:
        return "channel"
    # <channel|> closes what <|channel>thought opened.
    return "message end" if groups["message_end"] else "thought end"
