"""The wire between a chat client and its server: who is asked, what is sent, what comes back."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx
import msgspec
from msgspec import Struct

from harness.chat.messages import Message

MOST_TOKENS = 2**40  # a larger count is not believed
LONGEST_ASKED = 600.0  # seconds that a server may ask to wait


class Key:
    """A key that no text shows."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Key(...)"

    def header(self) -> dict[str, str]:
        """The header that carries it; none if it is empty."""
        return {"Authorization": f"Bearer {self._value}"} if self._value else {}

    def hidden_in(self, text: str) -> str:
        """`text` without the key: a server may repeat it."""
        return text.replace(self._value, "[key]") if self._value else text


class Access(NamedTuple):
    """Where a model is asked: the address up to /v1, and the key."""

    url: str
    key: Key


class Limits(NamedTuple):
    """Requests at once, seconds for a whole reply, and tries of one request."""

    concurrency: int
    timeout: float
    attempts: int


class Model(NamedTuple):
    """What is asked, and how: all that a reply depends on beside the request.

    version: tells apart models that had the same name. parameters: of the request body, a null
    takes one away. structured: whether JSON is asked for where a request has a schema.
    """

    name: str
    version: str
    parameters: Mapping[str, Any]
    structured: bool


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


class _Told(Struct):
    code: Any = None
    type: Any = None


class _Error(Struct):
    error: _Told


class Completion(NamedTuple):
    """What a server says: a text, whether it is a refusal, tokens where they are counted."""

    text: str
    refused: bool
    prompt_tokens: int | None
    completion_tokens: int | None


def completion(data: bytes) -> Completion:
    """What stands in the body of a reply. Raises ValueError if that is no chat completion."""
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
        _believed(usage.prompt_tokens),
        _believed(usage.completion_tokens),
    )


def message(said: Message) -> dict[str, Any]:
    """A message as the API has it: a text alone as such, else a list of parts."""
    if len(said.parts) == 1 and isinstance(said.parts[0], str):
        return {"role": said.role, "content": said.parts[0]}
    return {"role": said.role, "content": [_part(part) for part in said.parts]}


def _part(part: str | bytes) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    url = "data:image/jpeg;base64," + base64.b64encode(part).decode("ascii")
    return {"type": "image_url", "image_url": {"url": url}}


def asked_wait(headers: httpx.Headers) -> float | None:
    """What Retry-After asks for, in seconds or as a date, at most LONGEST_ASKED."""
    text = str(headers.get("Retry-After", "")).strip()
    try:
        seconds = float(text) if text.isascii() and text.isdecimal() else _until(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_ASKED)


def _until(date: str) -> float:
    when = parsedate_to_datetime(date)
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return (when - datetime.now(UTC)).total_seconds()


def error_code(data: bytes) -> str:
    """The code, else the type, of an error in the form that most servers give it; or nothing."""
    try:
        told = msgspec.json.decode(data, type=_Error).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return next((value for value in (told.code, told.type) if isinstance(value, str)), "")


def _believed(count: int | None) -> int | None:
    return count if count is not None and 0 <= count <= MOST_TOKENS else None


def is_local(host: str) -> bool:
    """Whether a host is this machine: no proxy stands between."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
