"""What a chat model is sent, and what it replies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from msgspec import Struct

REFUSED = "refused by the model or its server"
TOO_LONG = "reply too long to be read"
Part = str | bytes  # a text, or a JPEG
Role = Literal["system", "user", "assistant"]


class Message(NamedTuple):
    """What one side says: texts and pictures in order."""

    role: Role
    parts: tuple[Part, ...]


class Request(NamedTuple):
    """A conversation that ends with a question; an answer is wanted as JSON or in plain words.

    messages: all of it but the last words. as_json and as_plain: the last words, by form. schema:
    the JSON Schema of the answer (None: plain words are wanted in any case).
    """

    messages: tuple[Message, ...]
    as_plain: str
    as_json: str = ""
    schema: Mapping[str, Any] | None = None

    def spoken(self, structured: bool) -> tuple[Message, ...]:
        """The whole conversation, the wanted form at its end; texts in a row are one, by lines."""
        *before, last = self.messages
        ending = self.as_json if structured and self.schema is not None else self.as_plain
        return tuple(
            Message(said.role, _joined(said.parts))
            for said in (*before, Message(last.role, (*last.parts, ending)))
        )


class Reply(Struct, frozen=True):
    """What a model said, or `why` it said nothing; tokens as the server counts them, if it does.

    structured: whether the server was asked for JSON of the request's schema. milliseconds: from
    asking to the end of the reply, waits between tries left out.
    """

    text: str = ""
    why: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    milliseconds: int = 0
    structured: bool = False


def _joined(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts, texts that follow one another joined by line ends."""
    joined: list[Part] = []
    for part in parts:
        if joined and isinstance(part, str) and isinstance(joined[-1], str):
            joined[-1] += f"\n{part}"
        else:
            joined.append(part)
    return tuple(joined)
