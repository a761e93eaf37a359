"""A model behind an OpenAI-compatible chat endpoint: many requests at once, none paid for twice.

A reply is read within limits of size and time. An error that may pass (too many requests, a server
that is down, a broken reply) is tried again after a growing wait, or when the server says; one that
stays ends the run, and all replies so far are in the cache. A reply that its limit cut off, or that
is empty without a token, is asked for once more, and is not kept. Tries are ours and not the
library's: its waits add up to half a minute, which is less than a server needs to load a model; it
does not try malformed replies again; and its waits cannot be ended when another request has failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import httpx2
import msgspec
import openai
import tenacity

from harness.chat.access import ServerAccess
from harness.chat.connection import MAX_ERROR, MAX_REPLY, RequestLimits, connect
from harness.chat.hints import TIMED_OUT, hint
from harness.chat.messages import FILTERED, TOO_LONG, Reply, Request
from harness.chat.response_cache import ResponseCache
from harness.chat.usage import COMPLETION, PROMPT, UsageTracker
from harness.chat.wire_format import ChatModel, parse_completion, retry_after
from harness.errors import EnvironmentFailure, IvcrError
from harness.files import canonical, shown

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds before another try, doubled each time
TRANSIENT = frozenset((408, 409, 425, 429))  # and all statuses from 500 on
CONTINUE = "replies so far are kept; the same command goes on from there"
# What servers answer that cannot follow a schema; some fail over it.
NO_SCHEMA = frozenset((400, 404, 405, 415, 422, 500, 501))
_FILTERS = ("content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation")
_QUOTA = "insufficient_quota"


class _TransientError(Exception):
    """An error that may pass.

    wait: seconds that the server asks for before another try. advice: what helps if it stays.
    """

    def __init__(self, text: str, wait: float | None = None, advice: str = "") -> None:
        super().__init__(text)
        self.wait, self.advice = wait, advice


class _RunEndedError(Exception):
    """Another request has ended the run."""


class _Response(NamedTuple):
    """A response, read up to its limit. codes: the code and the type of an error."""

    status: int
    data: bytes
    wait: float | None
    codes: tuple[Any, ...]


class ChatClient:
    """Sends requests to one model. Replies that are the same each time are kept in a cache."""

    def __init__(
        self,
        access: ServerAccess,
        model: ChatModel,
        limits: RequestLimits,
        cache: ResponseCache,
        usage: UsageTracker,
    ) -> None:
        self._access, self._model, self._limits = access, model, limits
        self._cache, self._usage = cache, usage
        self._refused_schemas: set[bytes] = set()  # answered in plain words alone
        self._taken_schemas: set[bytes] = set()
        self._failure: IvcrError | None = None
        self._ended = asyncio.Event()
        self._tls = httpx2.create_ssl_context()

    def complete(self, requests: Sequence[Request]) -> list[Reply]:
        """A reply to each request, in order.

        Raises BudgetExceededError or EnvironmentFailure if the run ends; requests under way are
        finished first, and their replies kept.
        """
        return asyncio.run(self._complete_all(requests))

    async def _complete_all(self, requests: Sequence[Request]) -> list[Reply]:
        self._failure, self._ended = None, asyncio.Event()
        keys = [self._model.cache_key(request) or at for at, request in enumerate(requests)]
        counts, slots = Counter(keys), asyncio.Semaphore(self._limits.concurrency)
        distinct = dict(zip(keys, requests, strict=True))  # of equal requests one is sent
        async with connect(self._access, self._limits, self._tls) as server:
            tasks = [
                self._complete_one(server, slots, request, key, counts[key])
                for key, request in distinct.items()
            ]
            replies = dict(zip(distinct, await asyncio.gather(*tasks), strict=True))
        if self._failure is not None:
            raise self._failure
        return [reply for key in keys if (reply := replies[key]) is not None]

    async def _complete_one(
        self,
        server: openai.AsyncOpenAI,
        slots: asyncio.Semaphore,
        request: Request,
        key: str | int,
        count: int,
    ) -> Reply | None:
        """The reply to a request that stands for `count` equal ones; None if the run ends.

        key: of the cache; a number if the reply is not to be kept.
        """
        kept = self._cache.get(key) if isinstance(key, str) else None
        reply = kept if kept is not None and kept.is_final else None
        try:
            if reply is None:
                async with slots:
                    self._usage.check()
                    reply = await self._finished(server, request)
                    if isinstance(key, str) and reply.is_final:
                        self._cache.put(key, self._model.name, reply)
        except _RunEndedError:
            return None
        except IvcrError as error:
            self._failure = self._failure or error
            self._ended.set()
            return None
        if request.schema is None:
            reply = msgspec.structs.replace(reply, structured=None)
        tokens = {PROMPT: reply.prompt_tokens or 0, COMPLETION: reply.completion_tokens or 0}
        self._usage.add({name: count * number for name, number in tokens.items()})
        return reply

    async def _finished(self, server: openai.AsyncOpenAI, request: Request) -> Reply:
        """The reply; one that the model did not bring to its end is asked for once more."""
        first = await self._retry(server, request)
        if not first.is_unfinished:
            return first
        return _with_cost(await self._retry(server, request), first)

    async def _retry(self, server: openai.AsyncOpenAI, request: Request) -> Reply:
        """The reply, after as many tries as are allowed."""
        tries = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(_TransientError),
            wait=_seconds_to_wait,
            stop=tenacity.stop_after_attempt(self._limits.attempts),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            async for attempt in tries:
                with attempt:
                    if self._failure is not None:
                        raise _RunEndedError
                    return await self._try_once(server, request)
        except _TransientError as error:
            text = f"{error}, {self._limits.attempts} times{error.advice}"
            raise self._permanent(text) from None
        raise AssertionError("a try either returns or raises")

    async def _sleep(self, seconds: float) -> None:
        """Wait before another try, unless the run ends meanwhile."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)

    async def _try_once(self, server: openai.AsyncOpenAI, request: Request) -> Reply:
        """One try, in plain words if the server refuses the schema."""
        schema = None if request.schema is None else canonical(request.schema)
        started, structured = time.perf_counter(), None if schema is None else False
        if schema is None or not self._model.structured or schema in self._refused_schemas:
            response = await self._post(server, request, structured=False)
        else:
            response, structured = await self._by_schema(server, request, schema)
        reply = self._read(response, structured)
        took = round(1000 * (time.perf_counter() - started))
        return msgspec.structs.replace(reply, milliseconds=took)

    async def _by_schema(
        self, server: openai.AsyncOpenAI, request: Request, schema: bytes
    ) -> tuple[_Response, bool]:
        """The response to a request with its schema, or in plain words if the server refuses that.

        A server that once followed the schema does not refuse it: a 500 of it is an error that may
        pass. Else a 500 is a refusal if plain words are answered and the schema then fails again.
        """
        response = await self._post(server, request, structured=True)
        if response.status == 200:
            self._taken_schemas.add(schema)
        taken, fails = schema in self._taken_schemas, response.status >= 500
        refuses = response.status in NO_SCHEMA and not _is_filtered(response)
        if not refuses or (fails and taken):
            return response, True
        in_words = await self._post(server, request, structured=False)
        if in_words.status == 200 and fails:
            again = await self._post(server, request, structured=True)
            if again.status < 500:
                return again, True
        if in_words.status == 200 and schema not in self._taken_schemas:
            self._refused_schemas.add(schema)
        return in_words, False

    async def _post(
        self, server: openai.AsyncOpenAI, request: Request, *, structured: bool
    ) -> _Response:
        """Send a request and read the response. Raises _TransientError if none comes."""
        body = canonical(self._model.body(request, structured=structured))
        codes: tuple[Any, ...] = ()
        try:
            async with asyncio.timeout(self._limits.timeout):
                response = await server.post(
                    "/chat/completions", content=body, cast_to=httpx2.Response
                )
        except openai.APIStatusError as error:
            response, codes = error.response, (error.code, error.type)
        except (TimeoutError, openai.APITimeoutError):
            text = f"gave no whole reply within {self._limits.timeout:g} s"
            raise _TransientError(text, advice=TIMED_OUT) from None
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            text = self._quote(str(cause).encode()) if str(cause) else type(cause).__name__
            raise _TransientError(f"cannot be reached, or broke off ({text})") from None
        wait = retry_after(response.headers.get("Retry-After", ""))
        return _Response(response.status_code, response.content, wait, codes)

    def _read(self, response: _Response, structured: bool | None) -> Reply:
        """The reply in a response. Raises _TransientError, or EnvironmentFailure."""
        if response.status == 200:
            if len(response.data) > MAX_REPLY:
                return Reply(why=TOO_LONG, structured=structured)
            return self._read_completion(response.data, structured)
        if _is_filtered(response):
            return Reply(why=FILTERED, structured=structured)
        text = f"answers {response.status} ({self._quote(response.data)})"
        transient = response.status in TRANSIENT or response.status >= 500
        if transient and _QUOTA not in response.codes:
            raise _TransientError(text, response.wait, hint(response.status, response.data))
        raise self._permanent(text + hint(response.status, response.data))

    def _read_completion(self, data: bytes, structured: bool | None) -> Reply:
        try:
            completion = parse_completion(data)
        except ValueError as error:
            text = f"answers 200, but {error} ({self._quote(data)})"
            raise _TransientError(text) from None
        return Reply(
            text=self._access.key.redact(completion.text),
            why=completion.why,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
            structured=structured,
            cut=completion.cut,
        )

    def _quote(self, data: bytes) -> str:
        """The beginning of what a server says, from which the key is taken before it is cut."""
        text = data[:MAX_ERROR].decode("utf-8", "replace")
        return shown(self._access.key.redact(text), 200)

    def _permanent(self, text: str) -> EnvironmentFailure:
        url = f"{self._access.url.rstrip('/')}/chat/completions"
        return EnvironmentFailure(f"{url}: {text}; {CONTINUE}")


def _with_cost(reply: Reply, earlier: Reply) -> Reply:
    """A reply that costs what an earlier try cost too."""
    counts = {}
    for name in ("prompt_tokens", "completion_tokens"):
        pair = (getattr(reply, name), getattr(earlier, name))
        counts[name] = None if None in pair else sum(pair)
    took = reply.milliseconds + earlier.milliseconds
    return msgspec.structs.replace(reply, milliseconds=took, **counts)


def _is_filtered(response: _Response) -> bool:
    """Whether the server's content filter refuses the request."""
    return response.status in (400, 403, 422) and any(code in _FILTERS for code in response.codes)


def _seconds_to_wait(state: tenacity.RetryCallState) -> float:
    """Seconds until the next try: as the server asks, at least a random part of a doubled time."""
    error = state.outcome.exception() if state.outcome is not None else None
    wait = error.wait if isinstance(error, _TransientError) else None
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(state.attempt_number - 1, 20))
    return max(wait or 0.0, longest * random.uniform(0.5, 1.0))
