"""The routes of DESIGN's section on exams: /api/v1/exams and what belongs to one exam.

A refused request gets {"error": {"code", "text", ...}}. No reply depends on the clock but for what
a deadline changes, so every GET can be repeated.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from harness.exam.http.bodies import (
    MOST_ANSWER,
    MOST_CARD,
    read_body,
    read_table,
    refusal_reply,
    reply,
)
from harness.exam.refusals import ExamRefusal
from harness.exam.service import MOST_TURNS, ExamService
from harness.exam.storage.database import Database
from harness.exam.storage.tokens import team_of
from harness.version import __version__

_LOG = logging.getLogger(__name__)
_BEARER = "bearer "
Authorization = Annotated[str | None, Header(description="Bearer TOKEN")]
IdempotencyKey = Annotated[
    str, Header(description="The same key and body open the same exam.", max_length=200)
]


class ExamRoutes:
    """What each address does."""

    def __init__(self, service: ExamService, database: Database) -> None:
        """`database`: that of the service, for tokens and health."""
        self._service, self._database = service, database

    async def open_exam(
        self, request: Request, idempotency_key: IdempotencyKey, authorization: Authorization = None
    ) -> Response:
        """Open an exam: {"phase", "card"}; team, history, candidates and seed are fixed here."""
        team = await self._team(authorization)
        body = await read_table(request, MOST_CARD)
        return await _written(201, self._service.open_exam, team, idempotency_key, body)

    async def status(self, exam: str, authorization: Authorization = None) -> Response:
        """State, answered turns, deadline, head of the receipts."""
        team = await self._team(authorization)
        return reply(await run_in_threadpool(self._service.status, team, exam))

    async def turns(
        self,
        exam: str,
        limit: Annotated[int, Query(ge=1, le=MOST_TURNS)] = MOST_TURNS,
        authorization: Authorization = None,
    ) -> Response:
        """The open turns, by number, then in the order of the file. Changes nothing."""
        team = await self._team(authorization)
        return reply(await run_in_threadpool(self._service.turns, team, exam, limit))

    async def put_answer(
        self,
        exam: str,
        dialogue: str,
        turn: int,
        request: Request,
        authorization: Authorization = None,
    ) -> Response:
        """Keep the answer to an open turn: a line of predictions without its two ids."""
        team = await self._team(authorization)
        body = await read_body(request, MOST_ANSWER)
        return await _written(200, self._service.put_answer, team, exam, dialogue, turn, body)

    async def answers(
        self,
        exam: str,
        after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
        authorization: Authorization = None,
    ) -> Response:
        """Own answers with their receipts, in order."""
        team = await self._team(authorization)
        return reply(await run_in_threadpool(self._service.answers, team, exam, after))

    async def finish(
        self, exam: str, request: Request, authorization: Authorization = None
    ) -> Response:
        """Finish an exam with its final card: {"card"}, or nothing for the first one."""
        team = await self._team(authorization)
        body = await read_table(request, MOST_CARD)
        return await _written(202, self._service.finish, team, exam, body)

    async def health(self) -> Response:
        """Whether the database can be read."""

        def look() -> None:
            with self._database.reading() as connection:
                connection.exec_driver_sql("SELECT 1")

        await run_in_threadpool(look)
        return reply({"status": "ok"})

    async def _team(self, authorization: str | None) -> str:
        given = authorization or ""
        token = given[len(_BEARER) :].strip() if given.lower().startswith(_BEARER) else None

        def find() -> str:
            with self._database.reading() as connection:
                return team_of(connection, token, self._service.now.text)

        return await run_in_threadpool(find)


async def _written(
    status: int, begin: Callable[..., Future[Mapping[str, Any]]], *arguments: object
) -> Response:
    """The reply to a request that writes, once it is on the disk."""
    future = await run_in_threadpool(begin, *arguments)
    return reply(await asyncio.wrap_future(future), status)


def make_app(service: ExamService, database: Database) -> FastAPI:
    """The application of a server; closing it carries out what waits."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(service.close)

    app = FastAPI(title="IVCR exams", version=__version__, lifespan=lifespan, redoc_url=None,
                  docs_url=None, openapi_url="/api/v1/openapi.json",
                  redirect_slashes=False)  # fmt: skip
    routes = ExamRoutes(service, database)
    for method, path, route, status in (
        ("POST", "/api/v1/exams", routes.open_exam, 201),
        ("GET", "/api/v1/exams/{exam}", routes.status, 200),
        ("GET", "/api/v1/exams/{exam}/turns", routes.turns, 200),
        ("PUT", "/api/v1/exams/{exam}/answers/{dialogue:path}/{turn}", routes.put_answer, 200),
        ("GET", "/api/v1/exams/{exam}/answers", routes.answers, 200),
        ("POST", "/api/v1/exams/{exam}/finish", routes.finish, 202),
        ("GET", "/healthz", routes.health, 200),
    ):
        app.add_api_route(path, route, methods=[method], status_code=status)
    app.add_exception_handler(ExamRefusal, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _no_such)
    app.add_exception_handler(Exception, _fault)
    return app


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ExamRefusal)  # noqa: S101 - registered for it
    return refusal_reply(error)


async def _malformed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    places = [".".join(map(str, each["loc"])) + ": " + str(each["msg"]) for each in error.errors()]
    return refusal_reply(ExamRefusal("; ".join(places)))


async def _no_such(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    value: dict[str, Any] = {"code": "no_such_address", "text": str(error.detail)}
    found = reply({"error": value}, error.status_code)
    found.headers.update(error.headers or {})  # which methods an address takes
    return found


async def _fault(_request: Request, error: Exception) -> Response:
    """A fault of the server: logged, told as such, without what was sent."""
    _LOG.error("a request failed", exc_info=error)
    value = {"code": "fault", "text": "the server failed, through no fault of yours; try again"}
    return reply({"error": value}, 500)
