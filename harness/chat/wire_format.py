"""The body of a chat request, the key of its reply in the cache, and what a response says."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from harness.chat.messages import (
    FILTERED,
    IN_REASONING,
    NO_TOKENS,
    REFUSED,
    TOOL_CALL,
    Request,
)
from harness.files import canonical

MAX_TOKENS = 2**40  # a server's count above this is taken for unknown
# Reasons, in the words of several servers, for which a reply ends before its end.
CUT = frozenset(("length", "max_tokens", "max_output_tokens", "model_length"))
FAILED = frozenset(("error", "abort", "aborted", "failed", "timeout", "network_error"))
FILTER = frozenset(("content_filter", "safety", "recitation", "prohibited_content", "sensitive"))
TEXT_PARTS = ("text", "output_text")
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


class _Message(Struct):
    content: Any = None
    refusal: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    tool_calls: Any = None
    function_call: Any = None


class _Choice(Struct):
    message: _Message
    finish_reason: Any = None
    error: Any = None


class _Completion(Struct):
    choices: list[_Choice]
    usage: msgspec.Raw = msgspec.Raw(b"null")


class Completion(NamedTuple):
    """A text, why there is no answer in it, and tokens if the server counts them.

    cut: the limit of its length cut it off.
    """

    text: str
    why: str | None
    cut: bool
    prompt_tokens: int | None
    completion_tokens: int | None


def parse_completion(data: bytes) -> Completion:
    """The first choice in the body of a response.

    The types are checked: `openai`'s models take any JSON. Raises ValueError if the body is no chat
    completion, or the server gave up in the middle of it.
    """
    try:
        decoded = msgspec.json.decode(data, type=_Completion)
        choice = decoded.choices[0]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, IndexError) as error:
        raise ValueError("is no chat completion") from error
    text, finish = _text(choice.message.content), str(choice.finish_reason or "").lower()
    if finish in FAILED or choice.error:
        raise ValueError(f"the reply ended in an error (finish_reason {finish or 'missing'})")
    prompt, completion = _counts(decoded.usage)
    cut = finish in CUT
    why = _why_no_answer(choice.message, text, finish)
    if why is None and completion == 0 and not cut and not text.strip():
        why = NO_TOKENS
    text = text.encode("utf-8", "replace").decode("utf-8")
    return Completion(text, why, cut and why is None, prompt, completion)


def _text(content: Any) -> str:
    """The text of a message; of its parts those that are text, without reasoning and pictures."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise ValueError("is no chat completion: its content is no text")  # noqa: TRY004
    parts = [part if isinstance(part, dict) else {"text": part} for part in content]
    texts = [part.get("text") for part in parts if (part.get("type") or "text") in TEXT_PARTS]
    return "".join(text for text in texts if isinstance(text, str))


def _why_no_answer(message: _Message, text: str, finish: str) -> str | None:
    if message.refusal:
        return REFUSED
    if finish in FILTER:
        return FILTERED
    if text.strip():
        return None
    if message.tool_calls or message.function_call:
        return TOOL_CALL
    if finish not in CUT and (message.reasoning_content or message.reasoning):
        return IN_REASONING
    return None


def _counts(usage: msgspec.Raw) -> tuple[int | None, int | None]:
    """Tokens of the prompt and of the reply; None for what is no plausible whole number."""
    try:
        counts = msgspec.json.decode(usage)
    except (msgspec.DecodeError, RecursionError):
        counts = None
    named = counts if isinstance(counts, dict) else {}
    return _plausible(named.get("prompt_tokens")), _plausible(named.get("completion_tokens"))


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


def _plausible(count: Any) -> int | None:
    is_count = isinstance(count, int) and not isinstance(count, bool)
    return count if is_count and 0 <= count <= MAX_TOKENS else None
