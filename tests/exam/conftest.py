"""A challenge with exams on a small benchmark, served on loopback."""

import json
import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import uvicorn

from harness.benchmark import Benchmark
from harness.exam.client import ExamClient
from harness.exam.finishing import ExamRecords
from harness.exam.http.app import make_app
from harness.exam.record_keeping import RecordKeeper
from harness.exam.service import ExamService
from harness.exam.storage.database import Database
from harness.exam.storage.tokens import make_token
from tests.baselines.conftest import imported
from tests.exam.postgres import cluster, new_database, programs

CHALLENGE = """
title = "Exam"
[[phase]]
name = "own"
kind = "exam"
split = "test"
history = "own"
opens = 2026-01-01T00:00:00Z
closes = 2026-02-01T00:00:00Z
feedback = "exact"
exam_hours = 48
quota = 2
[[phase]]
name = "reference"
kind = "exam"
split = "test"
history = "reference"
opens = 2026-01-01T00:00:00Z
closes = 2026-02-01T00:00:00Z
feedback = "exact"
[[phase]]
name = "none"
kind = "exam"
split = "test"
history = "none"
opens = 2026-01-01T00:00:00Z
closes = 2026-02-01T00:00:00Z
feedback = "exact"
"""
START = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now

    def pass_hours(self, hours):
        self.now += timedelta(hours=hours)


class Served:
    """A server of exams with its files; `begin` starts it again after `end`."""

    def __init__(self, root, benchmark, url=None):
        self.root, self.benchmark, self.clock, self.clients = root, benchmark, Clock(), []
        self.database_url = url or f"sqlite:///{root / 'exam.db'}"
        self.submissions = root / "submissions"
        self.submissions.mkdir(exist_ok=True)
        (self.submissions / "challenge.toml").write_text(CHALLENGE)
        self.begin()

    def begin(self):
        self.database = Database(self.database_url)
        self.service = ExamService(
            self.submissions, Benchmark(self.benchmark.folder), self.database, clock=self.clock
        )
        self.keeper = RecordKeeper(
            self.service,
            self.database,
            ExamRecords(self.submissions, self.benchmark, self.root / "results"),
        )
        config = uvicorn.Config(
            make_app(self.service, self.database), port=0, log_level="warning", lifespan="on"
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive()
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def end(self):
        for client in self.clients:
            client.close()
        self.server.should_exit = True
        self.thread.join()
        self.database.close()

    def team(self, name, expires_at=None):
        """A team with a token of its own, which is returned."""
        folder = self.submissions / name
        folder.mkdir(exist_ok=True)
        (folder / "team.toml").write_text(f"name = {json.dumps(name)}\n")
        with self.database.writing() as connection:
            _, token = make_token(connection, name, self.service.now.text, expires_at)
        return token

    def client(self, name="one", **more):
        """A client of a new token of a team."""
        return self.client_of(self.team(name), **more)

    def client_of(self, token, **more):
        """A client of a token."""
        found = ExamClient(self.url, token, **{"patience": 0.0, **more})
        self.clients.append(found)
        return found


def card(history="own", team="one", **more):
    """A card as a request has it."""
    return {"schema": 1, "team": team, "system": "toy", "history": history,
            "candidates": "unused", "kind": "predictions", **more}  # fmt: skip


@pytest.fixture
def benchmark(tmp_path):
    return imported(tmp_path)


@pytest.fixture(scope="session")
def postgres():
    """The URL of a PostgreSQL, without a database."""
    if programs() is None:
        pytest.skip("needs Debian's package postgresql")
    with cluster() as url:
        yield url


@pytest.fixture
def served(tmp_path, benchmark):
    """A server with SQLite."""
    found = Served(tmp_path, benchmark)
    yield found
    found.end()


@pytest.fixture(params=["sqlite", "postgresql"])
def on_both(request, tmp_path, benchmark):
    """A server with each kind of database."""
    url = None
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgres"), f"exam-{uuid4().hex}")
    found = Served(tmp_path, benchmark, url)
    yield found
    found.end()
