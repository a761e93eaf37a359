"""What a chat model is sent, and what it replies."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from msgspec import Struct

REFUSED = "refused by the model"
FILTERED = "filtered by the server"
TOOL_CALL = "tool call instead of an answer"
IN_REASONING = "answer in `reasoning_content`"
NO_TOKENS = "empty, of zero tokens"
TOO_LONG = "reply too long to be read"
# What the next reply, or the same server started in another way, may mend.
_NOT_FINAL = frozenset((TOOL_CALL, IN_REASONING, NO_TOKENS))
Part = str | bytes  # a text, or a JPEG
Role = Literal["system", "user", "assistant"]


class Message(NamedTuple):
    """One message of a conversation: texts and pictures in order."""

    role: Role
    parts: tuple[Part, ...]

    def as_json(self) -> dict[str, Any]:
        """The message in the form of the API: a single text as it is, else a list of parts."""
        if len(self.parts) == 1 and isinstance(self.parts[0], str):
            return {"role": self.role, "content": self.parts[0]}
        return {"role": self.role, "content": [_part_as_json(part) for part in self.parts]}


class Request(NamedTuple):
    """A conversation that ends with a question, and the form of the answer: JSON or plain words.

    messages: the whole conversation without its last words. plain_ending and json_ending: the last
    words, one of which is added. schema: the JSON Schema of the answer (None: plain words only).
    """

    messages: tuple[Message, ...]
    plain_ending: str
    json_ending: str = ""
    schema: Mapping[str, Any] | None = None

    def whole_conversation(self, structured: bool) -> tuple[Message, ...]:
        """All messages with the ending; neighbouring texts are joined, one a line.

        structured: take the ending that asks for JSON, if there is a schema.
        """
        *before, last = self.messages
        ending = self.json_ending if structured and self.schema is not None else self.plain_ending
        return tuple(
            Message(message.role, _joined(message.parts))
            for message in (*before, Message(last.role, (*last.parts, ending)))
        )


class Reply(Struct, frozen=True):
    """The text of a reply, or `why` there is none; token counts as the server gives them.

    structured: whether the server was asked for JSON of the request's schema; None: the request has
    none. milliseconds: from the request to the end of the reply, waits between tries not included.
    cut: the limit of its length cut it off, so the text may go on.
    """

    text: str = ""
    why: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    milliseconds: int = 0
    structured: bool | None = None
    cut: bool = False

    @property
    def is_unfinished(self) -> bool:
        """Whether the model did not come to its end: another try may give the whole reply."""
        return self.cut or self.why == NO_TOKENS or (self.why is None and self._is_silent())

    @property
    def is_final(self) -> bool:
        """Whether the reply is the model's own answer or refusal, which may be kept."""
        return not self.is_unfinished and self.why not in _NOT_FINAL

    def _is_silent(self) -> bool:
        return self.completion_tokens == 0 and not self.text.strip()


def _part_as_json(part: Part) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    url = "data:image/jpeg;base64," + base64.b64encode(part).decode("ascii")
    return {"type": "image_url", "image_url": {"url": url}}


def _joined(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts, neighbouring texts joined by line ends."""
    joined: list[Part] = []
    for part in parts:
        if joined and isinstance(part, str) and isinstance(joined[-1], str):
            joined[-1] += f"\n{part}"
        else:
            joined.append(part)
    return tuple(joined)
