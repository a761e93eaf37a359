"""Requests and replies as bytes: bounded bodies in, canonical JSON out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import Request, Response

from harness.exam.refusals import ExamRefusal
from harness.files import canonical

MOST_ANSWER = 1 << 20  # bytes of an answer: 100 moments and a response of 100,000 characters
MOST_CARD = 1 << 20  # bytes of a request with a card
LONGEST_BODY = 60.0  # seconds: whoever sends slower holds a connection, and a stop of the server
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class TooLargeError(ExamRefusal):
    """A body past its limit."""

    status = 413
    code = "too_large"


class TooSlowError(ExamRefusal):
    """A body that does not come."""

    status = 408
    code = "too_slow"


async def read_body(request: Request, most: int) -> bytes:
    """The body of a request.

    Raises TooLargeError as soon as it is past `most` bytes, TooSlowError if it has not come whole
    after LONGEST_BODY.
    """
    try:
        return await asyncio.wait_for(_read(request, most), LONGEST_BODY)
    except TimeoutError as error:
        raise TooSlowError(
            f"expected the body within {LONGEST_BODY:g} s, found a part of it; send it again"
        ) from error


async def _read(request: Request, most: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise TooLargeError(f"expected a body of at most {most:,} bytes, found more")
        parts.append(part)
    return b"".join(parts)


async def read_table(request: Request, most: int) -> dict[str, Any]:
    """The JSON object of a body, {} of an empty one. Raises ExamRefusal."""
    data = await read_body(request, most)
    if not data.strip():
        return {}
    try:
        found: dict[str, Any] = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ExamRefusal(f"expected a JSON object, found something else: {error}") from error
    return found


def reply(value: Mapping[str, Any], status: int = 200) -> Response:
    """A value as JSON with sorted keys: same value, same bytes."""
    return Response(canonical(value), status, HEADERS, "application/json")


def refusal_reply(refusal: ExamRefusal) -> Response:
    """What a refused request gets: one word, a sentence, and what else it carries."""
    error = {**refusal.details, "code": refusal.code, "text": str(refusal)}
    return reply({"error": error}, refusal.status)
