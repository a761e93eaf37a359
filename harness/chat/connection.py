"""An `openai` client whose connection is limited: headers sent, bytes read, seconds waited.

The library reads environment variables (OPENAI_API_KEY, OPENAI_ORG_ID, OPENAI_CUSTOM_HEADERS ...)
and would send their values to whatever server is named. Here only the headers below are sent, and
the key of this server. Replies are read up to a limit and are not decompressed.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from typing import NamedTuple

import httpx2
import openai

from harness.chat.access import ServerAccess, is_local

MAX_REPLY = 4 << 20  # bytes of a reply; what comes after them is not read
MAX_ERROR = 64 << 10  # bytes of an error
CONNECT_TIMEOUT = 10.0  # seconds
SENT_HEADERS = frozenset(
    ("host", "connection", "accept", "accept-encoding", "content-length", "content-type",
     "user-agent")
)  # fmt: skip


class RequestLimits(NamedTuple):
    """Requests at once, seconds for a whole reply, and tries of one request."""

    concurrency: int
    timeout: float
    attempts: int


class BoundedStream(httpx2.AsyncByteStream):
    """The bytes of a response, which end once more than `limit` have come."""

    def __init__(self, stream: httpx2.AsyncByteStream, limit: int) -> None:
        self._stream, self._limit = stream, limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The bytes in pieces, as they come."""
        size = 0
        async for chunk in self._stream:
            yield chunk
            size += len(chunk)
            if size > self._limit:
                return

    async def aclose(self) -> None:
        """Close the response."""
        await self._stream.aclose()


def connect(access: ServerAccess, limits: RequestLimits, tls: ssl.SSLContext) -> openai.AsyncOpenAI:
    """A client for one event loop; it retries nothing and follows no redirect."""

    async def limit_headers(request: httpx2.Request) -> None:
        sent = {name: text for name, text in request.headers.items() if name in SENT_HEADERS}
        request.headers = httpx2.Headers(sent | access.key.headers())

    timeout = httpx2.Timeout(limits.timeout, connect=CONNECT_TIMEOUT, pool=None)
    http = httpx2.AsyncClient(
        headers={"Accept-Encoding": "identity"},
        timeout=timeout,
        limits=httpx2.Limits(max_connections=limits.concurrency),
        trust_env=not is_local(access.url),
        verify=tls,
        event_hooks={"request": [limit_headers], "response": [_limit_response]},
    )
    # The request hook puts the key in: the library is given none, and takes none elsewhere.
    return openai.AsyncOpenAI(
        base_url=access.url, api_key="none", http_client=http, timeout=timeout, max_retries=0
    )


async def _limit_response(response: httpx2.Response) -> None:
    """Bound what is read of a response; compressed bytes stay as they are."""
    response.headers.pop("Content-Encoding", None)
    limit = MAX_REPLY if response.status_code == 200 else MAX_ERROR
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = BoundedStream(response.stream, limit)
