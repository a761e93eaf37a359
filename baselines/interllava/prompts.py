"""InterLLaVA's prompts in their published form, as texts and as tokens, in Llama 2's chat format.

A video turn begins with all candidates, a moment turn with the current video. Each video has its
number and a placeholder for its tokens. The utterance follows. Earlier turns are text alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch

from baselines.base import Query
from baselines.interllava.losses import IGNORE_INDEX, AnswerSpan
from baselines.interllava.model import TokenBatch
from baselines.interllava.tokenizer import TIME_STEP, Tokenizer
from baselines.vlm.conversation import LONGEST_TURN, sanitize
from harness.records import Language, Task

SYSTEM = (
    "You help a user to find a video among the candidates, and then a moment in it. Name the video "
    "by its number, and the moment by its start and end in seconds."
)
VIDEO = "<VID> {number} </VID> <VIDEO> <VIDEOTOKEN> </VIDEO>"
CANDIDATES, CURRENT = "Candidate videos : {videos}.", "Current video : {videos}."
SPAN = "{start:.1f}s-{end:.1f}s"
FRAME_TIME = "This frame is sampled at {time} second."
SYSTEM_BLOCK = f"<<SYS>>\n{SYSTEM}\n<</SYS>>\n\n"
# Answers for a language in which no answer of the train split names a number or a span.
DEFAULT_ANSWERS: Mapping[tuple[Language, Task], str] = {
    ("en", "video"): "It is video 1.",
    ("zh", "video"): "是 video 1。",
    ("en", "moment"): "It is at 0.0s-1.0s.",
    ("zh", "moment"): "在 0.0s-1.0s。",
}
TEMPLATES = "\n".join(
    (
        *DEFAULT_ANSWERS.values(), SYSTEM_BLOCK, "[INST] ", " [/INST] ", VIDEO, CANDIDATES,
        CURRENT, FRAME_TIME,
    )
)  # fmt: skip
PROMPTS_SHA256 = hashlib.sha256(TEMPLATES.encode()).hexdigest()
HISTORY_TURNS = 2  # the earlier turns in a prompt
_NUMBER = re.compile(r"(?i)video ?(\d+)(?!\d|\.\d)")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)s-(\d+(?:\.\d+)?)s")


class TokenRow(NamedTuple):
    """A prompt and an answer (none: it is to be generated) as tokens.

    video_words: for each video token in order the id of a word to add (-1: none).
    """

    ids: list[int]
    labels: list[int]
    video_words: list[int]
    answer: AnswerSpan


def choice_prompt(query: Query, numbers: Sequence[int]) -> str:
    """Which of the candidates with those numbers?"""
    videos = ",".join(VIDEO.format(number=number) for number in numbers)
    return _conversation(query, f"{CANDIDATES.format(videos=videos)} ")


def grounding_prompt(query: Query, number: int) -> str:
    """When, in the video of that number?"""
    video = CURRENT.format(videos=VIDEO.format(number=number))
    return _conversation(query, f"{video} ")


def chat_prompt(query: Query) -> str:
    """What to say to the user, without a video?"""
    return _conversation(query, "")


def encode_row(
    tokenizer: Tokenizer, prompt: str, videos: Sequence[Sequence[int]], answer: str | None
) -> TokenRow:
    """The tokens of a prompt and its answer; videos: for each one its `video_words`.

    Raises ValueError if the prompt has another number of placeholders than there are videos.
    """
    prompt_ids = tokenizer.encode(prompt).ids
    if (places := prompt_ids.count(tokenizer.placeholder)) != len(videos):
        raise ValueError(f"expected a placeholder for each of {len(videos)} videos, found {places} "
                         "placeholders; give the videos that the prompt shows")  # fmt: skip
    counts = (len(video) for video in videos)
    ids = [
        copy
        for token in prompt_ids
        for copy in [token] * (next(counts) if token == tokenizer.placeholder else 1)
    ]
    labels = [IGNORE_INDEX] * len(ids)
    places_in_answer = AnswerSpan()
    if answer is not None:
        encoding = tokenizer.encode(answer)
        places_in_answer = _answer_span(answer, encoding.offsets, len(ids))
        ids = [*ids, *encoding.ids, tokenizer.end]
        labels = [*labels, *encoding.ids, tokenizer.end]
    return TokenRow(ids, labels, [word for video in videos for word in video], places_in_answer)


def pad_rows(rows: Sequence[TokenRow], end: int) -> TokenBatch:
    """Rows as a batch, padded with `end`: on the left for generation, on the right for training."""
    longest = max(len(row.ids) for row in rows)
    generation = all(label == IGNORE_INDEX for row in rows for label in row.labels)
    batch = torch.full((3, len(rows), longest), IGNORE_INDEX)
    batch[0], batch[1] = end, 0
    for at, row in enumerate(rows):
        size = len(row.ids)
        here = slice(longest - size, longest) if generation else slice(0, size)
        batch[0, at, here] = torch.tensor(row.ids)
        batch[1, at, here] = 1
        batch[2, at, here] = torch.tensor(row.labels)
    video_words = torch.tensor([word for row in rows for word in row.video_words], dtype=torch.long)
    return TokenBatch(batch[0], batch[1], batch[2], video_words)


def rewrite_answer(
    answer: str, number: int | None = None, span: tuple[float, float] | None = None
) -> str:
    """An answer with another candidate number, and with `span` (seconds) as its first span."""
    if number is not None:
        answer = _NUMBER.sub(lambda match: match[0][: -len(match[1])] + str(number), answer)
    if span is not None:
        answer = _SPAN.sub(SPAN.format(start=span[0], end=span[1]), answer, count=1)
    return answer


def names_target(task: Task, answer: str) -> bool:
    """Whether an answer names a candidate's number, or a span in the form "5.0s-10.0s"."""
    pattern = {"video": _NUMBER, "moment": _SPAN}.get(task)
    return pattern is not None and pattern.search(answer) is not None


def round_span(start: float, end: float) -> tuple[float, float]:
    """A span in seconds, rounded to the tiny configuration's times and at least a step long."""
    low, high = (round(at * 1000 / TIME_STEP) * TIME_STEP for at in (start, end))
    return low / 1000, max(high, low + TIME_STEP) / 1000


def _conversation(query: Query, videos: str) -> str:
    history = query.history[-HISTORY_TURNS:]
    utterances = [sanitize(each.utterance, LONGEST_TURN) for each in history]
    utterances.append(f"{videos}{sanitize(query.utterance, LONGEST_TURN)}")
    utterances[0] = SYSTEM_BLOCK + utterances[0]
    answers = [f" {sanitize(each.answer, LONGEST_TURN)} </s>" for each in history]
    parts = (f"<s>[INST] {utterance} [/INST]" for utterance in utterances)
    return "".join(part + answer for part, answer in zip(parts, [*answers, " "], strict=True))


def _answer_span(answer: str, offsets: Sequence[tuple[int, int]], first: int) -> AnswerSpan:
    """Where an answer writes its number and its span; `first`: the position of its first token."""

    def places(begin: int, end: int) -> list[tuple[int, int]]:
        """Tokens with a character in [begin, end): position in the row, offset in the answer."""
        return [
            (first + at, max(low, begin))
            for at, (low, high) in enumerate(offsets)
            if low < end and high > begin and answer[max(low, begin) : min(high, end)] != "."
        ]

    def digits(time: str, begin: int) -> tuple[tuple[int, float], ...]:
        """Position and place value of each token of a time that begins at `begin`."""
        tokens = places(begin, begin + len(time))
        return tuple((at, _place_value(time, low - begin, len(tokens))) for at, low in tokens)

    match, span = _NUMBER.search(answer), _SPAN.search(answer)
    number = None if match is None else (places(*match.span(1))[0][0], int(match[1]))
    if span is None:
        return AnswerSpan(number)
    start, end = (digits(span[which], span.start(which)) for which in (1, 2))
    return AnswerSpan(number, start, end, (float(span[1]), float(span[2])))


def _place_value(number: str, at: int, tokens: int) -> float:
    """The place value of the digit `at` in a number; 1 where the number is a single token."""
    if tokens == 1:
        return 1.0
    point = number.find(".") if "." in number else len(number)
    return 10.0 ** (point - at - 1) if at < point else 10.0 ** (point - at)
