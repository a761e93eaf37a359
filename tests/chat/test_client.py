"""A chat model is asked within limits: what passes is tried again, what is paid for is kept."""

import json
import logging
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from baselines.vlm.conversation import GROUNDING_SCHEMA
from harness.chat import client, wire_format
from harness.chat.client import Chat
from harness.chat.messages import REFUSED, TOO_LONG, Message, Request
from harness.chat.response_cache import ResponseCache
from harness.chat.usage import BudgetExceededError, Prices, UsageTracker
from harness.chat.wire_format import Access, Key, Limits, Model
from harness.errors import EnvironmentFailure
from tests.chat.servers import TOKENS, Server, completion

SECRET = "sk-very-secret-0123456789"


def question(text, schema=None):
    return Request((Message("user", (text,)),), "in words", "as JSON", schema)


QUESTIONS = [question(f"question {number}") for number in range(6)]


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
def replies(tmp_path):
    return ResponseCache(tmp_path / "cache")


@pytest.fixture
def asked(server, replies):
    """Ask the server."""

    def ask(requests, *, key="", structured=True, concurrency=1, timeout=30.0, attempts=3,
            budget_tokens=None, temperature=0.0, version=""):  # fmt: skip
        model = Model("toy", version, {"temperature": temperature, "seed": 0}, structured)
        limits = Limits(concurrency, timeout, attempts)
        purse = UsageTracker(Prices(), None, budget_tokens)
        made = Chat(Access(server.url, Key(key)), model, limits, replies, purse)
        return made.ask(requests)

    return ask


def said(found):
    return [reply.text for reply in found]


def failing(times, fail):
    """Fails so many times, then answers."""

    def act(handler, body, number):
        if number < times:
            fail(handler)
        else:
            handler.say(completion("at last"))

    return act


def cut(handler):
    handler.say(completion("cut off"), length=10_000)
    handler.close_connection = True


PASSES = {
    "500": lambda handler: handler.say(b"oops", 500),
    "503": lambda handler: handler.say(b"<html>", 503),
    "429": lambda handler: handler.say(b"{}", 429),
    "cut stream": cut,
    "wrong JSON": lambda handler: handler.say(b'{"choices": [', length=13),
    "no JSON": lambda handler: handler.say(b"<html>hello</html>"),
    "no choice": lambda handler: handler.say(b'{"choices": []}'),
    "deep JSON": lambda handler: handler.say(b"[" * 100_000),
    "nothing": lambda handler: setattr(handler, "close_connection", True),
}


@pytest.mark.parametrize("fail", PASSES.values(), ids=PASSES)
def test_what_passes_is_tried_again(server, asked, fail):
    server.act = failing(2, fail)
    assert said(asked([QUESTIONS[0]])) == ["at last"]
    assert len(server.asked) == 3


@pytest.mark.parametrize("fail", PASSES.values(), ids=PASSES)
def test_what_outlasts_its_tries_ends_the_run_in_one_line(server, asked, fail):
    server.act = failing(99, fail)
    with pytest.raises(EnvironmentFailure) as failure:
        asked([QUESTIONS[0]])
    assert len(server.asked) == 3
    assert "3 times; what was answered is kept; the same command goes on" in str(failure.value)
    assert str(failure.value).startswith(server.url)
    assert str(failure.value).isprintable()


def test_a_server_that_is_not_there_is_one_line(server, asked):
    server.close()
    server._http.server_close()
    with pytest.raises(EnvironmentFailure, match="cannot be reached"):
        asked([QUESTIONS[0]])


def test_a_slow_drip_is_no_reply(server, asked):
    stop = threading.Event()

    def drip(handler, body, number):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while not stop.wait(0.05):
            handler.wfile.write(b" ")

    server.act = drip
    with pytest.raises(EnvironmentFailure, match=r"no whole reply within 0\.3 s, 2 times"):
        asked([QUESTIONS[0]], timeout=0.3, attempts=2)
    stop.set()


def test_a_server_is_asked_again_when_it_says(server, asked):
    server.act = failing(1, lambda h: h.say(b"{}", 429, [("Retry-After", "1")]))
    started = datetime.now(UTC)
    assert said(asked([QUESTIONS[0]])) == ["at last"]
    assert datetime.now(UTC) - started >= timedelta(seconds=1)


@pytest.mark.parametrize(("text", "seconds"), [("7", 7), ("0", 0), ("99999999", 600)])
def test_a_wait_is_asked_for_in_seconds(text, seconds):
    assert wire_format.asked_wait(httpx.Headers({"Retry-After": text})) == seconds


@pytest.mark.parametrize(
    ("ahead", "low", "high"),
    [(timedelta(seconds=300), 240, 300), (timedelta(days=2), 600, 600), (-timedelta(days=1), 0, 0)],
    ids=["soon", "too late", "past"],
)
def test_a_wait_is_asked_for_by_date(ahead, low, high):
    date = format_datetime(datetime.now(UTC) + ahead, usegmt=True)
    assert low <= wire_format.asked_wait(httpx.Headers({"Retry-After": date})) <= high


@pytest.mark.parametrize("text", ["", "soon", "-1", "nan", "1e3", "٣", "Mon, 99 Foo 2026", "9" * 9])
def test_other_waits_are_none_or_bounded(text):
    found = wire_format.asked_wait(httpx.Headers([(b"Retry-After", text.encode())]))
    assert found is None or found == wire_format.LONGEST_ASKED


def test_a_huge_reply_is_cut_off_and_counted_as_unreadable(server, asked):
    sent = []

    def flood(handler, body, number):
        handler.send_response(200)
        handler.send_header("Content-Length", str(100 << 20))
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b"x" * (1 << 20))
            sent.append(1 << 20)

    server.act = flood
    assert [(reply.text, reply.why) for reply in asked([QUESTIONS[0]])] == [("", TOO_LONG)]
    assert sum(sent) < 50 << 20
    assert [reply.why for reply in asked([QUESTIONS[0]])] == [TOO_LONG]
    assert len(server.asked) == 1, "it is not paid for again"


def test_a_packed_reply_is_not_unpacked(server, asked):
    server.act = failing(9, lambda h: h.say(b"\x1f\x8b", 200, [("Content-Encoding", "gzip")]))
    with pytest.raises(EnvironmentFailure, match="is no chat completion"):
        asked([QUESTIONS[0]])
    assert server.headers[0]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b"who are you?", "names the environment variable that holds the key"),
        (404, b'{"error": {"message": "no such model"}}', "a name that the server lists"),
        (413, b"", "fewer or smaller frames"),
        (400, b'{"error": {"code": "context_length_exceeded"}}', "fewer or smaller frames"),
        (302, b"elsewhere", "answers 302"),
        (429, b'{"error": {"code": "insufficient_quota"}}', "insufficient_quota"),
    ],
)
def test_what_does_not_pass_ends_the_run_at_once(server, asked, status, body, expected):
    server.act = lambda h, *_: h.say(body, status, [("Location", f"{server.url}/elsewhere")])
    with pytest.raises(EnvironmentFailure, match=expected):
        asked([QUESTIONS[0]])
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, completion(None, message={"refusal": "no"})),
        (200, completion("", finish_reason="content_filter")),
        (400, b'{"error": {"code": "content_filter", "message": "no"}}'),
        (400, b'{"error": {"type": "content_policy_violation"}}'),
    ],
)
def test_a_refusal_is_a_reply(server, asked, status, body):
    server.act = lambda handler, *_: handler.say(body, status)
    for _ in range(2):
        (reply,) = asked([question("asked", GROUNDING_SCHEMA)])
        assert (reply.text, reply.why) == ("", REFUSED)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("data", "text", "tokens"),
    [
        (completion("hello"), "hello", (100, 10)),
        (completion([{"type": "text", "text": text} for text in "ab"]), "ab", (100, 10)),
        (completion(None), "", (100, 10)),
        (completion("x", usage=None), "x", (None, None)),
        (completion("x", usage={"prompt_tokens": -5, "completion_tokens": 1}), "x", (None, 1)),
        (completion("x", usage={"prompt_tokens": 2**60}), "x", (None, None)),
        (completion("视频三"), "视频三", (100, 10)),
        (b'{"choices":[{"message":{"content":"\\ud83d\\ude00 \\u0000"}}]}', "😀 \0", (None, None)),
    ],
)  # fmt: skip
def test_what_servers_say_is_read_in_all_its_forms(server, asked, data, text, tokens):
    server.act = lambda handler, *_: handler.say(data)
    (reply,) = asked([QUESTIONS[0]])
    assert (reply.text, (reply.prompt_tokens, reply.completion_tokens)) == (text, tokens)


def test_equal_requests_are_asked_once_and_kept_replies_not_at_all(server, asked):
    one, other = QUESTIONS[:2]
    assert said(asked([one, other, one])) == ["reply 0", "reply 1", "reply 0"]
    assert said(asked([other, QUESTIONS[2], one])) == ["reply 1", "reply 2", "reply 0"]
    assert len(server.asked) == 3


def test_another_version_of_a_model_is_another_model(server, asked):
    assert said(asked([QUESTIONS[0]])) == ["reply 0"]
    assert said(asked([QUESTIONS[0]], version="2")) == ["reply 1"]
    assert said(asked([QUESTIONS[0]])) == ["reply 0"]


def test_what_may_differ_each_time_is_not_kept(server, asked):
    ask = [QUESTIONS[0], QUESTIONS[0]]
    assert said(asked(ask, temperature=0.7)) == ["reply 0", "reply 1"]
    assert said(asked(ask, temperature=0.7)) == ["reply 2", "reply 3"]


def test_so_many_requests_at_once_and_no_more(server, asked):
    together = threading.Barrier(3)

    def act(handler, body, number):
        together.wait(timeout=30)  # breaks unless three are under way
        handler.say(completion(body["messages"][0]["content"]))

    server.act = act
    found = asked(QUESTIONS, concurrency=3)
    assert said(found) == [f"question {number}\nin words" for number in range(6)]
    assert server.most == 3


def test_a_fault_lets_what_is_under_way_finish_and_be_kept(server, asked):
    failed = threading.Event()

    def act(handler, body, number):
        text = body["messages"][0]["content"]
        if text.startswith("question 0"):
            handler.say(b"gone", 404)
            failed.set()
        elif text.startswith("question 1"):
            failed.wait(timeout=30)
            handler.say(completion("kept"))
        else:
            handler.say(completion("later"))

    server.act = act
    with pytest.raises(EnvironmentFailure, match="answers 404"):
        asked(QUESTIONS, concurrency=2)
    paid = [body["messages"][0]["content"] for body in server.answered]
    before = len(server.asked)
    server.act = lambda handler, *_: handler.say(completion("now"))
    assert said(asked(QUESTIONS))[1] == "kept"
    again = [body["messages"][0]["content"] for body in server.asked[before:]]
    assert len(paid) + len(again) == len({*paid, *again}) == len(QUESTIONS)


def test_a_fault_does_not_wait_for_those_that_wait(server, asked):
    waiting = threading.Event()

    def act(handler, body, number):
        if body["messages"][0]["content"].startswith("question 0"):
            handler.say(b"{}", 429, [("Retry-After", "500")])
            waiting.set()
        else:
            waiting.wait(timeout=30)
            handler.say(b"gone", 404)

    server.act = act
    started = datetime.now(UTC)
    with pytest.raises(EnvironmentFailure, match="answers 404"):
        asked(QUESTIONS[:2], concurrency=2)
    assert datetime.now(UTC) - started < timedelta(seconds=400)


def test_a_schema_that_a_server_refuses_says_nothing_of_another(server, asked):
    other = {"type": "object", "properties": {"videos": {"type": "array"}}}

    def act(handler, body, number):
        refused = "start" in json.dumps(body.get("response_format", ""))
        handler.say(b"no" if refused else completion("{}"), 400 if refused else 200)

    server.act = act
    told = [question("one", GROUNDING_SCHEMA), question("two", other), question("three", other)]
    assert [reply.structured for reply in asked(told)] == [False, True, True]


def test_a_budget_ends_the_run_and_a_larger_one_goes_on(server, asked):
    each = sum(TOKENS.values())
    with pytest.raises(BudgetExceededError, match=r"330 of 250 tokens.*larger --set budget_tokens"):
        asked(QUESTIONS, budget_tokens=2 * each + 30)
    assert len(server.asked) == 3
    assert len(asked(QUESTIONS, budget_tokens=100 * each)) == 6
    assert len(server.answered) == 6


def test_without_structured_output_the_same_is_asked_in_words(server, asked):
    def act(handler, body, number):
        if "response_format" in body:
            handler.say(b'{"error": {"message": "response_format is not supported"}}', 400)
        else:
            handler.say(completion("video 3"))

    server.act = act
    requests = [question(str(number), GROUNDING_SCHEMA) for number in range(3)]
    found = asked(requests)
    assert [(reply.text, reply.structured) for reply in found] == [("video 3", False)] * 3
    endings = [body["messages"][0]["content"].split("\n")[1] for body in server.asked]
    assert endings == ["as JSON", "in words", "in words", "in words"]
    asked(requests)
    assert len(server.asked) == 4, "kept under what was asked for at first"


def test_structured_output_is_asked_for_by_a_schema(server, asked):
    (reply,) = asked([question("x", GROUNDING_SCHEMA)])
    told = server.asked[0]["response_format"]
    assert (told["type"], told["json_schema"]["strict"]) == ("json_schema", True)
    assert told["json_schema"]["schema"] == GROUNDING_SCHEMA
    assert reply.structured
    asked([question("y", GROUNDING_SCHEMA)], structured=False)
    assert "response_format" not in server.asked[1]


def test_seed_and_temperature_are_passed(server, asked):
    asked([QUESTIONS[0]])
    assert (server.asked[0]["seed"], server.asked[0]["temperature"]) == (0, 0.0)


@pytest.mark.parametrize("status", [200, 401, 500])
def test_a_key_goes_into_its_header_and_nowhere_else(
    server, asked, tmp_path, caplog, capfd, status
):
    caplog.set_level(logging.DEBUG)
    echoed = f"Incorrect key: {SECRET}"
    server.act = lambda h, *_: h.say(
        completion(echoed) if status == 200 else echoed.encode(), status
    )
    told = ""
    try:
        told = asked([QUESTIONS[0]], key=SECRET)[0].text
    except EnvironmentFailure as failure:
        told = f"{failure!r} {failure.__cause__!r} {failure.__context__!r}"
    assert "Incorrect key: [key]" in told
    assert server.headers[0]["Authorization"] == f"Bearer {SECRET}"
    kept = b"".join(path.read_bytes() for path in (tmp_path / "cache").rglob("*"))
    everything = f"{told} {caplog.text} {capfd.readouterr()} {kept!r} {json.dumps(server.asked)}"
    assert SECRET not in everything
    assert SECRET not in repr(Access(server.url, Key(SECRET)))


def test_without_a_key_none_is_sent(server, asked):
    asked([QUESTIONS[0]])
    assert "Authorization" not in server.headers[0]
