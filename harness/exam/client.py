"""A client of exams in one file, of the standard library alone: it may be copied.

    client = ExamClient("https://exam.example", token)
    exam = client.open("final", card, key="my first try")["exam"]
    while turns := client.turns(exam):
        for turn in turns:
            client.answer(exam, turn["dialogue_id"], turn["turn"], {"videos": [...]})
    client.finish(exam)

A request that no reply came to is sent again: the server takes the same request twice as one. So a
program that was killed goes on with the same key. `check_receipts` proves, without the server, that
its list of answers is whole and in order.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

AGAIN = (408, 425, 429, 500, 502, 503, 504, 507)  # replies after which the same request may succeed
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds


class ExamError(Exception):
    """A request that the server refused, or that no reply came to.

    `status`: of HTTP, 0 without a reply; `code`: one word; `details`: what the reply carries.
    """

    def __init__(self, status: int, code: str, text: str, details: Mapping[str, Any]) -> None:
        super().__init__(f"{text} [{status} {code}]" if status else text)
        self.status, self.code, self.text, self.details = status, code, text, dict(details)


class ExamClient:
    """The exams of one team on one server. Not to be used by several threads at once."""

    def __init__(
        self, url: str, token: str, *, timeout: float = 60.0, patience: float = 300.0
    ) -> None:
        """`timeout`: of one request; `patience`: how long one is repeated; both in seconds.

        Raises ValueError if `url` is no address, or `token` cannot stand in a header.
        """
        parts = urlsplit(url.rstrip("/"))
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError(f"expected an address such as https://exam.example, found {url!r}")
        if not all("!" <= character <= "~" for character in token):
            raise ValueError("expected a token of letters, digits, - and _, found another text")
        self._place, self._base = parts, parts.path
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._timeout, self._patience = timeout, patience
        self._connection: http.client.HTTPConnection | None = None

    def open(self, phase: str, card: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Open an exam, or find the one that the same key opened. `card`: as in card.toml."""
        body = {"phase": phase, "card": card}
        return self._send("POST", "/api/v1/exams", body, {"Idempotency-Key": key})

    def status(self, exam: str) -> dict[str, Any]:
        """State, answered turns, deadline, head of the receipts."""
        return self._send("GET", f"/api/v1/exams/{quote(exam, safe='')}")

    def turns(self, exam: str, limit: int = 1000) -> list[dict[str, Any]]:
        """The open turns; [] once all are answered."""
        path = f"/api/v1/exams/{quote(exam, safe='')}/turns?limit={limit}"
        return list(self._send("GET", path)["turns"])

    def answer(
        self, exam: str, dialogue_id: str, turn: int, answer: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Answer an open turn: `videos`, `moments`, `choice`, `response`; an empty one abstains."""
        place = f"{quote(dialogue_id, safe='')}/{turn}"
        return self._send("PUT", f"/api/v1/exams/{quote(exam, safe='')}/answers/{place}", answer)

    def answers(self, exam: str) -> Iterator[dict[str, Any]]:
        """All answers so far with their turns and receipts, in order."""
        after = 0
        while True:
            path = f"/api/v1/exams/{quote(exam, safe='')}/answers?after={after}"
            found = self._send("GET", path)["answers"]
            if not found:
                return
            yield from found
            after = found[-1]["seq"]

    def finish(self, exam: str, card: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Finish an exam of which all turns are answered; `card`: with what it cost."""
        body = {} if card is None else {"card": card}
        return self._send("POST", f"/api/v1/exams/{quote(exam, safe='')}/finish", body)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        until, pause = time.monotonic() + self._patience, FIRST_PAUSE
        while True:
            try:
                return self._once(method, path, data, headers or {})
            except ExamError as error:
                last = error.status not in (0, *AGAIN) or time.monotonic() + pause > until
                if last:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _once(
        self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]
    ) -> dict[str, Any]:
        try:
            connection = self._connection or self._connect()
            connection.request(method, self._base + path, data, {**self._headers, **headers})
            reply = connection.getresponse()
            status, text = reply.status, reply.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            place = f"{self._place.scheme}://{self._place.netloc}"
            raise ExamError(0, "no_reply", f"{place}: no reply ({error})", {}) from error
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if status >= 400 or not isinstance(found, dict):
            details = found.get("error") if isinstance(found, dict) else None
            if not isinstance(details, dict):  # a proxy's reply, not the server's
                details = {}
            code, what = details.get("code", "unknown"), details.get("text", f"status {status}")
            raise ExamError(status, code, what, details)
        return found

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._place.hostname or "", self._place.port
        if self._place.scheme == "https":
            context = ssl.create_default_context()
            self._connection = http.client.HTTPSConnection(
                host, port, timeout=self._timeout, context=context
            )
        else:
            self._connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
        self._connection.connect()
        # Small requests wait for nothing else to be sent with them.
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._connection


def check_receipts(
    exam: str, fingerprint: str, card: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]
) -> str:
    """The last receipt of an exam's answers, each of which is checked against the one before.

    `fingerprint`: of the full benchmark; `card`: as the exam was opened; `answers`: as
    `ExamClient.answers` gives them. Raises ValueError at the first that does not fit.
    """
    head = _sha256([exam, fingerprint, card])
    for number, each in enumerate(answers, start=1):
        made = _sha256([head, number, each["dialogue_id"], each["turn"], each["answer"]])
        if (each["seq"], each["previous"], each["receipt"]) != (number, head, made):
            raise ValueError(f"answer {number}: its receipt does not follow from those before")
        head = made
    return head


def _sha256(value: list[Any]) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
