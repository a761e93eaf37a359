"""A model behind an OpenAI-compatible chat endpoint: many requests at once, none paid twice.

Every reply is read within limits of size and time. What can pass (too many requests, a server that
is down, a reply cut off) is tried again, later and later, or when the server says; what outlasts
that ends the run, and what was paid for is kept. A key comes from the environment, goes into one
header and nowhere else.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ipaddress
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx
import msgspec
import tenacity
from msgspec import Struct

from baselines.conversation import Message, Request
from baselines.reading import REFUSED, TOO_LONG
from baselines.replies_kept import Replies, Reply
from baselines.spending import COMPLETION, PROMPT, Purse
from harness.errors import EnvironmentFailure, IvcrError
from harness.files import canonical, shown

MOST_BYTES = 4 << 20  # of a reply; what is longer is cut off and not read
MOST_ERROR = 64 << 10  # of what comes with an error
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds before another try, doubled each time
LONGEST_ASKED = 600.0  # seconds that a server may ask to wait
CONNECT = 10.0  # seconds
PASSING = frozenset((408, 409, 425, 429))  # and all from 500 on
MOST_TOKENS = 2**40  # a larger count is not believed
GO_ON = "what was answered is kept; the same command goes on from there"
_FILTERS = ("content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation")
_QUOTA = "insufficient_quota"


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


class Chat:
    """Asks one model; replies that it gives each time alike are kept."""

    def __init__(
        self, access: Access, model: Model, limits: Limits, replies: Replies, purse: Purse
    ) -> None:
        self._access, self._model, self._limits = access, model, limits
        self._replies, self._purse = replies, purse
        self._structured = model.structured
        self._fault: IvcrError | None = None
        self._url = httpx.URL(access.url.rstrip("/") + "/chat/completions")
        self._tls = httpx.create_ssl_context() if self._url.scheme == "https" else True

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
        messages = [_message(message) for message in request.spoken(structured)]
        body: dict[str, Any] = {"model": self._model.name, "messages": messages}
        if structured and request.schema is not None:
            schema = {"name": "answer", "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        body |= self._model.parameters
        return {name: value for name, value in body.items() if value is not None}

    async def _all(self, requests: Sequence[Request]) -> list[Reply]:
        self._fault = None
        keys = [self.key(request) or str(at) for at, request in enumerate(requests)]
        times, gate = Counter(keys), asyncio.Semaphore(self._limits.concurrency)
        async with self._client() as client:
            # Of equal requests one is asked.
            asked = dict(zip(keys, requests, strict=True))
            tasks = [self._one(client, gate, request, times[key]) for key, request in asked.items()]
            found = dict(zip(asked, await asyncio.gather(*tasks), strict=True))
        if self._fault is not None:
            raise self._fault
        return [reply for key in keys if (reply := found[key]) is not None]

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            headers={"Accept-Encoding": "identity", **self._access.key.header()},
            timeout=httpx.Timeout(self._limits.timeout, connect=CONNECT, pool=None),
            limits=httpx.Limits(max_connections=self._limits.concurrency),
            trust_env=not _is_local(self._url.host),
            verify=self._tls,
        )

    async def _one(
        self, client: httpx.AsyncClient, gate: asyncio.Semaphore, request: Request, times: int
    ) -> Reply | None:
        """The reply to a request that stands for `times` equal ones; None: the run ends."""
        key = self.key(request)
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

    async def _once(self, client: httpx.AsyncClient, request: Request) -> Reply:
        """One try."""
        structured = self._structured and request.schema is not None
        body, started = self.body(request, structured=structured), time.perf_counter()
        try:
            async with asyncio.timeout(self._limits.timeout):
                said = await self._post(client, body)
        except (TimeoutError, httpx.TimeoutException):
            raise _Fault(f"gave no whole reply within {self._limits.timeout:g} s") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            text = self._shown(str(error)) if str(error) else type(error).__name__
            raise _Fault(f"cannot be reached, or broke off ({text})") from None
        if said.status in (400, 422) and structured and not self._is_filtered(said):
            self._structured = False
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
        code, told = _error(said.data), self._shown(said.data.decode("utf-8", "replace"))
        if self._is_filtered(said):
            return Reply(why=REFUSED)
        passing = said.status in PASSING or said.status >= 500
        if passing and code != _QUOTA:
            raise _Fault(f"answers {said.status} ({told})", _asked_wait(said.headers))
        raise self._failure(f"answers {said.status} ({told}){_HINTS.get(said.status, '')}")

    def _completed(self, said: _Said, structured: bool) -> Reply:
        try:
            completion = msgspec.json.decode(said.data, type=_Completion)
            choice = completion.choices[0]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, IndexError):
            told = self._shown(said.data[:200].decode("utf-8", "replace"))
            raise _Fault(f"answers 200 without a chat completion ({told})") from None
        usage = completion.usage or _Usage()
        text = choice.message.content or ""
        if not isinstance(text, str):
            text = "".join(part.text for part in text)
        refused = bool(choice.message.refusal) or choice.finish_reason == "content_filter"
        return Reply(
            text=self._access.key.hidden_in(text.encode("utf-8", "replace").decode("utf-8")),
            why=REFUSED if refused else None,
            prompt_tokens=_believed(usage.prompt_tokens),
            completion_tokens=_believed(usage.completion_tokens),
            structured=structured,
        )

    def _is_filtered(self, said: _Said) -> bool:
        return said.status in (400, 403, 422) and _error(said.data) in _FILTERS

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


def _message(message: Message) -> dict[str, Any]:
    """A message as the API has it: texts alone as one text, else a list of parts."""
    if all(isinstance(part, str) for part in message.parts):
        return {"role": message.role, "content": "\n".join(map(str, message.parts))}
    return {"role": message.role, "content": [_part(part) for part in message.parts]}


def _part(part: str | bytes) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    url = "data:image/jpeg;base64," + base64.b64encode(part).decode("ascii")
    return {"type": "image_url", "image_url": {"url": url}}


def _wait(state: tenacity.RetryCallState) -> float:
    """Seconds until the next try: as the server asks, at least a random part of a doubled time."""
    fault = state.outcome.exception() if state.outcome is not None else None
    asked = fault.wait if isinstance(fault, _Fault) else None
    most = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(state.attempt_number - 1, 20))
    return max(asked or 0.0, most * random.uniform(0.5, 1.0))


def _asked_wait(headers: httpx.Headers) -> float | None:
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


def _error(data: bytes) -> str:
    """The code or type of an error in the form that most servers give it, or nothing."""

    class _Told(Struct):
        code: Any = None
        type: Any = None

    class _Body(Struct):
        error: _Told

    try:
        told = msgspec.json.decode(data, type=_Body).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return next((value for value in (told.code, told.type) if isinstance(value, str)), "")


def _believed(count: int | None) -> int | None:
    return count if count is not None and 0 <= count <= MOST_TOKENS else None


def _is_local(host: str) -> bool:
    """Whether a host is this machine: no proxy stands between."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
