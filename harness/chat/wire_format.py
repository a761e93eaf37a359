"""The body of a chat request, the key of its reply in the cache, and what a response says."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from harness.chat.messages import Request
from harness.files import canonical

MAX_TOKENS = 2**40  # a server's count above this is taken for unknown
MAX_RETRY_AFTER = 600.0  # seconds that a server may ask for


class ChatModel(NamedTuple):
    """A model and its parameters: all that a reply depends on beside the request.

    version: distinguishes models that had the same name. parameters: of the request body; null
    takes one away. structured: whether JSON is asked for where a request has a schema.
    """

    name: str
    version: str
    parameters: Mapping[str, Any]
    structured: bool

    def body(self, request: Request, *, structured: bool) -> dict[str, Any]:
        """The body of the HTTP request."""
        messages = [message.as_json() for message in request.whole_conversation(structured)]
        body: dict[str, Any] = {"model": self.name, "messages": messages}
        if structured and request.schema is not None:
            schema = {"name": "answer", "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        body |= self.parameters
        return {name: value for name, value in body.items() if value is not None}

    def cache_key(self, request: Request) -> str | None:
        """SHA-256 of all that a reply depends on; None if replies may differ from time to time."""
        body = self.body(request, structured=self.structured)
        if body.get("temperature") != 0:
            return None
        return hashlib.sha256(canonical([1, self.version, body])).hexdigest()


class _Part(Struct):
    text: str = ""


class _Message(Struct):
    content: str | list[_Part] | None = None
    refusal: str | None = None


class _Choice(Struct):
    message: _Message
    finish_reason: str | None = None


class _Usage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Completion(Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


class Completion(NamedTuple):
    """A text, whether the model refuses to answer, and tokens if the server counts them."""

    text: str
    refused: bool
    prompt_tokens: int | None
    completion_tokens: int | None


def parse_completion(data: bytes) -> Completion:
    """The first choice in the body of a response.

    The types are checked: `openai`'s models take any JSON. Raises ValueError if the body is no chat
    completion.
    """
    try:
        decoded = msgspec.json.decode(data, type=_Completion)
        choice = decoded.choices[0]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, IndexError) as error:
        raise ValueError("is no chat completion") from error
    text, usage = choice.message.content or "", decoded.usage or _Usage()
    if not isinstance(text, str):
        text = "".join(part.text for part in text)
    return Completion(
        text.encode("utf-8", "replace").decode("utf-8"),
        bool(choice.message.refusal) or choice.finish_reason == "content_filter",
        _plausible(usage.prompt_tokens),
        _plausible(usage.completion_tokens),
    )


def retry_after(text: str) -> float | None:
    """The seconds that a Retry-After header gives, as a number or a date; at most MAX_RETRY_AFTER.

    None if it gives none. (`openai` gives up where a server asks for more than two minutes.)
    """
    text = text.strip()
    try:
        seconds = float(text) if text.isascii() and text.isdecimal() else _seconds_until(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


def _seconds_until(date: str) -> float:
    when = parsedate_to_datetime(date)
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return (when - datetime.now(UTC)).total_seconds()


def _plausible(count: int | None) -> int | None:
    return count if count is not None and 0 <= count <= MAX_TOKENS else None
