"""The requests of a turn: a conversation of texts and pictures, and the form of the answer.

Texts by others (utterances, answers, texts of videos) become one line each, without the brackets
that chat templates read as control tokens. Texts of videos are also quoted as JSON strings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from baselines.base import Exchange, Query
from baselines.vlm.images import VideoImages
from baselines.vlm.prompts import seconds, worded
from harness.chat.messages import Message, Part, Request
from harness.records import Language, Moment, Video

LONGEST_TEXT = 300  # characters of one text of a video
LONGEST_TURN = 2_000  # characters of an utterance or an answer
_BRACKETS = str.maketrans("<>[]", "‹›()")


class PromptBuilder:
    """Builds requests. with_texts: whether prompts hold the texts of videos beside pictures."""

    def __init__(
        self, videos: Mapping[str, Video], pictures: VideoImages, *, with_texts: bool
    ) -> None:
        self._videos, self._pictures, self._with_texts = videos, pictures, with_texts

    def choice(self, query: Query) -> Request:
        """Which of the query's candidates is meant?"""
        shown = [
            part
            for number, video_id in enumerate(query.candidates, start=1)
            for part in self._candidate(query.language, number, video_id)
        ]
        count = len(query.candidates)
        question = (*shown, *_earlier_videos(query), _utterance(query))
        return Request(
            _messages(query, question),
            worded(query.language, "choose_plain", count=count),
            worded(query.language, "choose_json", count=count),
            _choice_schema(count),
        )

    def grounding(self, query: Query, video_id: str) -> Request:
        """When in that video is the moment that is meant?"""
        return Request(
            _messages(query, (*self._video(query.language, video_id), _utterance(query))),
            worded(query.language, "ground_plain"),
            worded(query.language, "ground_json"),
            GROUNDING_SCHEMA,
        )

    def talk(self, query: Query) -> Request:
        """What is the answer to a chat turn?"""
        return Request(_messages(query, (_utterance(query),)), worded(query.language, "talk"))

    def explanation(self, query: Query, moment: Moment) -> Request:
        """Why is this the moment?"""
        start, end = (seconds(at, query.language) for at in (moment.start, moment.end))
        shown = self._video(query.language, moment.video_id)
        ending = worded(query.language, "explain", start=start, end=end)
        return Request(_messages(query, (*shown, _utterance(query))), ending)

    def _candidate(self, language: Language, number: int, video_id: str) -> list[Part]:
        strip, texts = self._pictures.strip(video_id), self._texts(language, video_id)
        if strip is None:
            return [worded(language, "unseen", number=number, texts=texts)]
        times = ", ".join(seconds(time, language) for time in strip.times)
        heading = worded(language, "candidate", number=number, texts=texts, times=times)
        return [heading, strip.jpeg]

    def _video(self, language: Language, video_id: str) -> list[Part]:
        duration = self._videos[video_id].duration
        lasts = worded(language, "unknown") if duration is None else seconds(duration, language)
        texts = self._texts(language, video_id)
        parts: list[Part] = [worded(language, "video", texts=texts, duration=lasts)]
        for still in self._pictures.stills(video_id):
            parts += [worded(language, "frame", time=seconds(still.time, language)), still.jpeg]
        return parts

    def _texts(self, language: Language, video_id: str) -> str:
        texts = self._videos[video_id].text if self._with_texts else {}
        quoted = [
            json.dumps(sanitize(text, LONGEST_TEXT), ensure_ascii=False)
            for _, text in sorted(texts.items())
            if text
        ]
        return ", ".join(quoted) or worded(language, "no_texts")


def _messages(query: Query, last: tuple[Part, ...]) -> tuple[Message, ...]:
    """The instructions, the dialogue so far, and the parts of the last message."""
    history = [
        message
        for exchange in query.history
        for message in (
            Message("user", (sanitize(exchange.utterance, LONGEST_TURN),)),
            Message("assistant", (_earlier_answer(exchange, query.language),)),
        )
    ]
    return (Message("system", (worded(query.language, "system"),)), *history, Message("user", last))


def _earlier_answer(exchange: Exchange, language: Language) -> str:
    return sanitize(exchange.answer, LONGEST_TURN) or worded(language, "no_answer")


def _earlier_videos(query: Query) -> tuple[str, ...]:
    """The numbers that videos of earlier turns have among the candidates of this turn."""
    numbers = {video_id: number for number, video_id in enumerate(query.candidates, start=1)}
    lines = [
        worded(query.language, "found_one", turn=turn, number=numbers[exchange.video_id])
        for turn, exchange in enumerate(query.history, start=1)
        if exchange.video_id in numbers
    ]
    return (worded(query.language, "found", found="; ".join(lines)),) if lines else ()


def _utterance(query: Query) -> str:
    return worded(query.language, "asks", utterance=sanitize(query.utterance, LONGEST_TURN))


def sanitize(text: str, longest: int) -> str:
    """A text by others on one line, of bounded length, without brackets and control characters."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text[:longest])
    return " ".join(printable.split()).translate(_BRACKETS)


def _choice_schema(count: int) -> dict[str, Any]:
    numbers = {"type": "array", "items": {"type": "integer", "enum": [*range(1, count + 1)]}}
    return _object(videos=numbers, reply={"type": "string"})


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


GROUNDING_SCHEMA = _object(
    start={"type": "number"}, end={"type": "number"}, reply={"type": "string"}
)
