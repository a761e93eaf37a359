"""What an assistant is asked of a turn: a conversation of texts and pictures, and the form wanted.

Whatever strangers wrote (utterances, answers, texts of videos) is put on one line without the
brackets of which chat templates make control tokens; texts of videos are quoted as JSON, too.
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
LONGEST_SAID = 2_000  # characters of an utterance or an answer
_BRACKETS = str.maketrans("<>[]", "‹›()")


class Writer:
    """Writes requests. `with_texts`: whether the texts of videos are told, or pictures alone."""

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
        told = (*shown, *_found(query), _asks(query))
        return Request(
            _messages(query, told),
            worded(query.language, "choose_plain", count=count),
            worded(query.language, "choose_json", count=count),
            _choice_schema(count),
        )

    def grounding(self, query: Query, video_id: str) -> Request:
        """When in that video is what is meant?"""
        return Request(
            _messages(query, (*self._video(query.language, video_id), _asks(query))),
            worded(query.language, "ground_plain"),
            worded(query.language, "ground_json"),
            GROUNDING_SCHEMA,
        )

    def talk(self, query: Query) -> Request:
        """What does one say to that?"""
        return Request(_messages(query, (_asks(query),)), worded(query.language, "talk"))

    def explanation(self, query: Query, moment: Moment) -> Request:
        """Why this moment?"""
        start, end = (seconds(at, query.language) for at in (moment.start, moment.end))
        shown = self._video(query.language, moment.video_id)
        ending = worded(query.language, "explain", start=start, end=end)
        return Request(_messages(query, (*shown, _asks(query))), ending)

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
            json.dumps(tame(text, LONGEST_TEXT), ensure_ascii=False)
            for _, text in sorted(texts.items())
            if text
        ]
        return ", ".join(quoted) or worded(language, "no_texts")


def _messages(query: Query, last: tuple[Part, ...]) -> tuple[Message, ...]:
    """Instructions, the dialogue so far, and `last`."""
    said = [
        message
        for exchange in query.history
        for message in (
            Message("user", (tame(exchange.utterance, LONGEST_SAID),)),
            Message("assistant", (_said(exchange, query.language),)),
        )
    ]
    return (Message("system", (worded(query.language, "system"),)), *said, Message("user", last))


def _said(exchange: Exchange, language: Language) -> str:
    return tame(exchange.answer, LONGEST_SAID) or worded(language, "no_answer")


def _found(query: Query) -> tuple[str, ...]:
    """Where the videos of earlier turns stand among the candidates now."""
    numbers = {video_id: number for number, video_id in enumerate(query.candidates, start=1)}
    told = [
        worded(query.language, "found_one", turn=turn, number=numbers[exchange.video_id])
        for turn, exchange in enumerate(query.history, start=1)
        if exchange.video_id in numbers
    ]
    return (worded(query.language, "found", found="; ".join(told)),) if told else ()


def _asks(query: Query) -> str:
    return worded(query.language, "asks", utterance=tame(query.utterance, LONGEST_SAID))


def tame(text: str, longest: int) -> str:
    """A stranger's text on one line, of bounded length, without brackets and controls."""
    kept = "".join(sign if sign.isprintable() else " " for sign in text[:longest])
    return " ".join(kept.split()).translate(_BRACKETS)


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
