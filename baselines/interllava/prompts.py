"""What InterLLaVA is told: the published form of prompts, in Llama 2's form of conversations.

A video turn begins with all candidates, a moment turn with the current video, each with its number
and a placeholder for its tokens; the utterance follows. Earlier turns are told in words alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch

from baselines.base import Exchange, Query
from baselines.interllava.losses import IGNORED, Spelt
from baselines.interllava.model import Rows
from baselines.interllava.tokenizer import GRID, Words
from baselines.vlm.conversation import LONGEST_TURN, sanitize
from harness.records import Language, Task

SYSTEM = (
    "You help a user to find a video among the candidates, and then a moment in it. Name the video "
    "by its number, and the moment by its start and end in seconds."
)
VIDEO = "<VID> {number} </VID> <VIDEO> <VIDEOTOKEN> </VIDEO>"
CANDIDATES, CURRENT = "Candidate videos : {videos}.", "Current video : {videos}."
SHOWN = "{start:.1f}s-{end:.1f}s"
SAMPLED = "This frame is sampled at {time} second."
OPENING = f"<<SYS>>\n{SYSTEM}\n<</SYS>>\n\n"
# Answers, where the train split has none of a language that names what is asked for.
PLAIN: Mapping[tuple[Language, Task], str] = {
    ("en", "video"): "It is video 1.",
    ("zh", "video"): "是 video 1。",
    ("en", "moment"): "It is at 0.0s-1.0s.",
    ("zh", "moment"): "在 0.0s-1.0s。",
}
FIXED = "\n".join(
    (*PLAIN.values(), OPENING, "[INST] ", " [/INST] ", VIDEO, CANDIDATES, CURRENT, SAMPLED)
)
PROMPTS_SHA256 = hashlib.sha256(FIXED.encode()).hexdigest()
TURNS = 2  # earlier ones that are told
_NUMBER = re.compile(r"(?i)video ?(\d+)(?!\d|\.\d)")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)s-(\d+(?:\.\d+)?)s")


class Row(NamedTuple):
    """A prompt and an answer (none: it is to be generated) as tokens.

    added: for each token of a video, in order, the word that is added to it (-1: none).
    """

    ids: list[int]
    labels: list[int]
    added: list[int]
    spelt: Spelt


def choosing(query: Query, numbers: Sequence[int]) -> str:
    """Which of the candidates of those numbers?"""
    shown = ",".join(VIDEO.format(number=number) for number in numbers)
    return _conversation(query, f"{CANDIDATES.format(videos=shown)} ")


def grounding(query: Query, number: int) -> str:
    """When in the video of that number?"""
    shown = CURRENT.format(videos=VIDEO.format(number=number))
    return _conversation(query, f"{shown} ")


def talking(query: Query) -> str:
    """What does one say to that?"""
    return _conversation(query, "")


def row(words: Words, prompt: str, each: Sequence[Sequence[int]], answer: str | None) -> Row:
    """The tokens of a prompt and its answer; `each` has for each token of each video what is added.

    Raises ValueError if there are not as many videos as the prompt has placeholders.
    """
    asked = words.told(prompt).ids
    if (places := asked.count(words.placeholder)) != len(each):
        raise ValueError(f"{len(each)} videos, but {places} placeholders")
    videos = iter(each)
    ids = [
        again
        for token in asked
        for again in [token] * (len(next(videos)) if token == words.placeholder else 1)
    ]
    labels = [IGNORED] * len(ids)
    found = Spelt()
    if answer is not None:
        told = words.told(answer)
        found = _spelt(answer, told.spans, len(ids))
        ids = [*ids, *told.ids, words.end]
        labels = [*labels, *told.ids, words.end]
    return Row(ids, labels, [word for video in each for word in video], found)


def rows(found: Sequence[Row], end: int) -> Rows:
    """Rows side by side: filled up on the left if they are to be generated from, else behind."""
    most = max(len(each.ids) for each in found)
    generating = all(label == IGNORED for each in found for label in each.labels)
    filled = torch.full((3, len(found), most), IGNORED)
    filled[0], filled[1] = end, 0
    for at, each in enumerate(found):
        here = slice(most - len(each.ids), most) if generating else slice(0, len(each.ids))
        filled[0, at, here] = torch.tensor(each.ids)
        filled[1, at, here] = 1
        filled[2, at, here] = torch.tensor(each.labels)
    added = torch.tensor([word for each in found for word in each.added], dtype=torch.int64)
    return Rows(filled[0], filled[1], filled[2], added)


def retold(answer: str, number: int | None = None, span: tuple[float, float] | None = None) -> str:
    """A reference answer with another number, and its first span told in tenths of a second."""
    if number is not None:
        answer = _NUMBER.sub(lambda found: found[0][: -len(found[1])] + str(number), answer)
    if span is not None:
        answer = _SPAN.sub(SHOWN.format(start=span[0], end=span[1]), answer, count=1)
    return answer


def names_what_is_asked(task: Task, answer: str) -> bool:
    """Whether an answer names a candidate's number, or a span in the form "5.0s-10.0s"."""
    form = {"video": _NUMBER, "moment": _SPAN}.get(task)
    return form is not None and form.search(answer) is not None


def _conversation(query: Query, shown: str) -> str:
    told = query.history[-TURNS:]
    asked = [
        *(_said(each) for each in told),
        f"{shown}{sanitize(query.utterance, LONGEST_TURN)}",
    ]
    asked[0] = OPENING + asked[0]
    answers = [f" {sanitize(each.answer, LONGEST_TURN)} </s>" for each in told]
    parts = (f"<s>[INST] {said} [/INST]" for said in asked)
    return "".join(part + said for part, said in zip(parts, [*answers, " "], strict=True))


def _said(exchange: Exchange) -> str:
    return sanitize(exchange.utterance, LONGEST_TURN)


def _spelt(answer: str, spans: Sequence[tuple[int, int]], first: int) -> Spelt:
    """Where an answer spells its number and its span; `first`: the place of its first token."""

    def places(begin: int, end: int) -> list[tuple[int, int]]:
        """Tokens with a sign in [begin, end): their place, and where they begin in the answer."""
        return [
            (first + at, max(low, begin))
            for at, (low, high) in enumerate(spans)
            if low < end and high > begin and answer[max(low, begin) : min(high, end)] != "."
        ]

    found, span = _NUMBER.search(answer), _SPAN.search(answer)
    number = None
    if found is not None:
        number = (places(*found.span(1))[0][0], int(found[1]))
    if span is None:
        return Spelt(number)
    start, end = (
        tuple((at, _worth(span[which], low - span.start(which), len(places(*span.span(which)))))
              for at, low in places(*span.span(which)))
        for which in (1, 2)
    )  # fmt: skip
    return Spelt(number, start, end, (float(span[1]), float(span[2])))


def _worth(number: str, at: int, tokens: int) -> float:
    """What a digit at that place of a number counts; 1 where the number is a single token."""
    if tokens == 1:
        return 1.0
    point = number.find(".") if "." in number else len(number)
    return 10.0 ** (point - at - 1) if at < point else 10.0 ** (point - at)


def tidy(start: float, end: float) -> tuple[float, float]:
    """A span in seconds, told on the tiny configuration's grid and not empty."""
    low, high = (round(at * 1000 / GRID) * GRID for at in (start, end))
    return low / 1000, max(high, low + GRID) / 1000
