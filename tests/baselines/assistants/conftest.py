"""A server for each test, and `endpoint` runs that ask it."""

import pytest

from baselines.base import View
from baselines.registry import find, load
from tests.chat.servers import Server

SMALL = ("frames=2", "moment_frames=3", "side=32")


@pytest.fixture
def server():
    """A server that behaves, until a test changes its `act`."""
    made = Server()
    yield made
    made.close()


@pytest.fixture
def viewed(toy):
    """What a baseline prepares with on the toy benchmark."""

    def view(history="own", **more):
        return View(toy.videos, toy.split("test").corpus, toy.folder, history, 0, **more)

    return view


@pytest.fixture
def endpoint(server, viewed):
    """A prepared endpoint."""

    def make(*settings, **view):
        given = dict(each.split("=", 1) for each in (*SMALL, "model=toy", f"url={server.url}",
                                                     "concurrency=1", *settings))  # fmt: skip
        baseline, _ = load(find("endpoint"), [f"{name}={given[name]}" for name in given])
        baseline.prepare(viewed(**view))
        return baseline

    return make
