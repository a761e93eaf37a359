"""A model behind an OpenAI-compatible chat endpoint: many requests at once, none paid twice.

Every reply is read within limits of size and time. What can pass (too many requests, a server that
is down, a reply cut off) is tried again, later and later, or when the server says; what outlasts
that ends the run, and what was paid for is kept. A key comes from the environment, goes into one
header and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import httpx
import msgspec
import tenacity

from harness.chat.messages import REFUSED, TOO_LONG, Reply, Request
from harness.chat.response_cache import ResponseCache
from harness.chat.usage import COMPLETION, PROMPT, UsageTracker
from harness.chat.wire_format import (
    Access,
    Limits,
    Model,
    asked_wait,
    completion,
    error_code,
    is_local,
    message,
)
from harness.errors import EnvironmentFailure, IvcrError
from harness.files import canonical, shown

MOST_BYTES = 4 << 20  # of a reply; what is longer is cut off and not read
MOST_ERROR = 64 << 10  # of what comes with an error
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds before another try, doubled each time
CONNECT = 10.0  # seconds
PASSING = frozenset((408, 409, 425, 429))  # and all from 500 on
GO_ON = "what was answered is kept; the same command goes on from there"
_FILTERS = ("content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation")
_QUOTA = "insufficient_quota"


class _Fault(Exception):  # noqa: N818 - no error unless it outlasts its tries
    """What may pass; `wait`: seconds after which the server wants to be asked again."""

    def __init__(self, text: str, wait: float | None = None) -> None:
        super().__init__(text)
        self.wait = wait


class _StoppingError(Exception):
    """Another request has ended the run."""


class _Said(NamedTuple):
    status: int
    headers: httpx.Headers
    data: bytes
    whole: bool


class Chat:
    """Asks one model; replies that it gives each time alike are kept."""

    def __init__(
        self,
        access: Access,
        model: Model,
        limits: Limits,
        replies: ResponseCache,
        purse: UsageTracker,
    ) -> None:
        self._access, self._model, self._limits = access, model, limits
        self._replies, self._purse = replies, purse
        self._refused: set[bytes] = set()  # schemas that the server does not know how to keep to
        self._fault: IvcrError | None = None
        self._ended = asyncio.Event()
        self._url = httpx.URL(access.url.rstrip("/") + "/chat/completions")
        self._tls = httpx.create_ssl_context()

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        """A reply to each request, in order.

        Raises BudgetReachedError and EnvironmentFailure; what is under way then is finished first,
        and kept.
        """
        return asyncio.run(self._all(requests))

    def key(self, request: Request) -> str | None:
        """What a reply depends on, as SHA-256; None if it may differ from time to time."""
        body = self.body(request, structured=self._model.structured)
        if body.get("temperature") != 0:
            return None
        return hashlib.sha256(canonical([1, self._model.version, body])).hexdigest()

    def body(self, request: Request, *, structured: bool) -> dict[str, Any]:
        """What is sent."""
        messages = [message(said) for said in request.spoken(structured)]
        body: dict[str, Any] = {"model": self._model.name, "messages": messages}
        if structured and request.schema is not None:
            schema = {"name": "answer", "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        body |= self._model.parameters
        return {name: value for name, value in body.items() if value is not None}

    async def _all(self, requests: Sequence[Request]) -> list[Reply]:
        self._fault, self._ended = None, asyncio.Event()
        keys = [self.key(request) or at for at, request in enumerate(requests)]
        times, gate = Counter(keys), asyncio.Semaphore(self._limits.concurrency)
        async with self._client() as client:
            # Of equal requests one is asked.
            asked = dict(zip(keys, requests, strict=True))
            tasks = [
                self._one(client, gate, request, key if isinstance(key, str) else None, times[key])
                for key, request in asked.items()
            ]
            found = dict(zip(asked, await asyncio.gather(*tasks), strict=True))
        if self._fault is not None:
            raise self._fault
        return [reply for key in keys if (reply := found[key]) is not None]

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            headers={"Accept-Encoding": "identity", **self._access.key.header()},
            timeout=httpx.Timeout(self._limits.timeout, connect=CONNECT, pool=None),
            limits=httpx.Limits(max_connections=self._limits.concurrency),
            trust_env=not is_local(self._url.host),
            verify=self._tls,
        )

    async def _one(
        self,
        client: httpx.AsyncClient,
        gate: asyncio.Semaphore,
        request: Request,
        key: str | None,
        times: int,
    ) -> Reply | None:
        """The reply to a request that stands for `times` equal ones; None: the run ends."""
        reply = None if key is None else self._replies.get(key)
        try:
            if reply is None:
                async with gate:
                    self._purse.check()
                    reply = await self._tried(client, request)
                    if key is not None:
                        self._replies.put(key, self._model.name, reply)
        except _StoppingError:
            return None
        except IvcrError as error:
            self._fault = self._fault or error
            self._ended.set()
            return None
        tokens = {PROMPT: reply.prompt_tokens or 0, COMPLETION: reply.completion_tokens or 0}
        self._purse.add({name: times * count for name, count in tokens.items()})
        return reply

    async def _tried(self, client: httpx.AsyncClient, request: Request) -> Reply:
        """The reply, after as many tries as are allowed."""
        tries = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(_Fault),
            wait=_wait,
            stop=tenacity.stop_after_attempt(self._limits.attempts),
            sleep=self._rest,
            reraise=True,
        )
        try:
            async for attempt in tries:
                with attempt:
                    if self._fault is not None:
                        raise _StoppingError
                    return await self._once(client, request)
        except _Fault as fault:
            raise self._failure(f"{fault}, {self._limits.attempts} times") from None
        raise AssertionError("a try either returns or raises")

    async def _rest(self, seconds: float) -> None:
        """Wait before another try, unless the run ends meanwhile."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)

    async def _once(self, client: httpx.AsyncClient, request: Request) -> Reply:
        """One try."""
        schema = None if request.schema is None else canonical(request.schema)
        structured = self._model.structured and schema is not None and schema not in self._refused
        body, started = self.body(request, structured=structured), time.perf_counter()
        try:
            async with asyncio.timeout(self._limits.timeout):
                said = await self._post(client, body)
        except (TimeoutError, httpx.TimeoutException):
            raise _Fault(f"gave no whole reply within {self._limits.timeout:g} s") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            text = self._shown(str(error)) if str(error) else type(error).__name__
            raise _Fault(f"cannot be reached, or broke off ({text})") from None
        if structured and said.status in (400, 422) and not self._is_filtered(said):
            self._refused.add(schema or b"")
            return await self._once(client, request)
        reply = self._read(said, structured)
        took = round(1000 * (time.perf_counter() - started))
        return msgspec.structs.replace(reply, milliseconds=took)

    async def _post(self, client: httpx.AsyncClient, body: dict[str, Any]) -> _Said:
        """Send a request and read what comes back, as far as it is read."""
        data, content = bytearray(), canonical(body)
        headers = {"Content-Type": "application/json"}
        async with client.stream("POST", self._url, content=content, headers=headers) as answer:
            most = MOST_BYTES if answer.status_code == 200 else MOST_ERROR
            async for chunk in answer.aiter_raw():
                data += chunk
                if len(data) > most:
                    return _Said(answer.status_code, answer.headers, bytes(data[:most]), False)
            return _Said(answer.status_code, answer.headers, bytes(data), True)

    def _read(self, said: _Said, structured: bool) -> Reply:
        """The reply that a server gave. Raises _Fault, or EnvironmentFailure."""
        if said.status == 200:
            return self._completed(said, structured) if said.whole else Reply(why=TOO_LONG)
        code, told = error_code(said.data), self._shown(said.data.decode("utf-8", "replace"))
        if self._is_filtered(said):
            return Reply(why=REFUSED)
        passing = said.status in PASSING or said.status >= 500
        if passing and code != _QUOTA:
            raise _Fault(f"answers {said.status} ({told})", asked_wait(said.headers))
        raise self._failure(f"answers {said.status} ({told}){_HINTS.get(said.status, '')}")

    def _completed(self, said: _Said, structured: bool) -> Reply:
        try:
            found = completion(said.data)
        except ValueError as error:
            told = self._shown(said.data[:200].decode("utf-8", "replace"))
            raise _Fault(f"answers 200, but {error} ({told})") from None
        return Reply(
            text=self._access.key.hidden_in(found.text),
            why=REFUSED if found.refused else None,
            prompt_tokens=found.prompt_tokens,
            completion_tokens=found.completion_tokens,
            structured=structured,
        )

    def _is_filtered(self, said: _Said) -> bool:
        return said.status in (400, 403, 422) and error_code(said.data) in _FILTERS

    def _shown(self, text: str) -> str:
        return shown(self._access.key.hidden_in(text), 200)

    def _failure(self, text: str) -> EnvironmentFailure:
        return EnvironmentFailure(f"{self._url}: {text}; {GO_ON}")


_HINTS = {
    400: "; if it is too much at once, take fewer or smaller frames",
    401: "; --set key=VARIABLE names the environment variable that holds the key",
    403: "; --set key=VARIABLE names the environment variable that holds the key",
    404: "; --set url is the address up to /v1, --set model a name that the server lists",
    413: "; take fewer or smaller frames",
    422: "; --set extra changes the parameters of a request",
}


def _wait(state: tenacity.RetryCallState) -> float:
    """Seconds until the next try: as the server asks, at least a random part of a doubled time."""
    fault = state.outcome.exception() if state.outcome is not None else None
    asked = fault.wait if isinstance(fault, _Fault) else None
    most = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(state.attempt_number - 1, 20))
    return max(asked or 0.0, most * random.uniform(0.5, 1.0))
