"""A server whose behaviour a test sets, and a client that does not wait."""

import pytest

from harness.chat import client
from harness.chat.access import ApiKey, ServerAccess
from harness.chat.client import ChatClient
from harness.chat.connection import RequestLimits
from harness.chat.response_cache import ResponseCache
from harness.chat.usage import Prices, UsageTracker
from harness.chat.wire_format import ChatModel
from tests.chat.servers import Server, completion


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """No test waits as long as a person would."""
    monkeypatch.setattr(client, "FIRST_WAIT", 0.01)


@pytest.fixture
def server():
    """A server whose `act` a test may change."""
    made = Server(lambda handler, body, number: handler.say(completion(f"reply {number}")))
    yield made
    made.close()


@pytest.fixture
def cache(tmp_path):
    return ResponseCache(tmp_path / "cache")


@pytest.fixture
def complete(server, cache):
    """Send requests to the server."""

    def send(requests, *, key="", structured=True, concurrency=1, timeout=30.0, attempts=3,
            budget_tokens=None, temperature=0.0, version=""):  # fmt: skip
        model = ChatModel("toy", version, {"temperature": temperature, "seed": 0}, structured)
        limits = RequestLimits(concurrency, timeout, attempts)
        usage = UsageTracker(Prices(), budget_tokens=budget_tokens)
        access = ServerAccess(server.url, ApiKey(key))
        return ChatClient(access, model, limits, cache, usage).complete(requests)

    return send
