"""Requests stay within limits: errors that pass are tried again, replies are kept."""

import gzip
import json
import logging
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from harness.chat.access import ApiKey, ServerAccess
from harness.chat.connection import MAX_REPLY
from harness.chat.messages import FILTERED, REFUSED, TOO_LONG, Message, Request
from harness.chat.usage import BudgetExceededError
from harness.chat.wire_format import MAX_RETRY_AFTER, retry_after
from harness.errors import EnvironmentFailure
from tests.chat.servers import TOKENS, completion

SCHEMA = {"type": "object", "properties": {"start": {"type": "number"}}, "required": ["start"]}
SECRET = "sk-very-secret-0123456789"
ELSEWHERE = "sk-for-another-server"


def question(text, schema=None):
    return Request((Message("user", (text,)),), "in words", "as JSON", schema)


QUESTIONS = [question(f"question {number}") for number in range(6)]


@pytest.fixture(autouse=True)
def _another_server_in_the_environment(monkeypatch):
    """Keys and addresses that the libraries would take from there."""
    monkeypatch.setenv("OPENAI_API_KEY", ELSEWHERE)
    monkeypatch.setenv("OPENAI_ORG_ID", ELSEWHERE)
    monkeypatch.setenv("OPENAI_PROJECT_ID", ELSEWHERE)
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", f"Authorization: {ELSEWHERE}\nX-More: {ELSEWHERE}")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")


def texts(replies):
    return [reply.text for reply in replies]


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
def test_what_passes_is_tried_again(server, complete, fail):
    server.act = failing(2, fail)
    assert texts(complete([QUESTIONS[0]])) == ["at last"]
    assert len(server.asked) == 3


@pytest.mark.parametrize("fail", PASSES.values(), ids=PASSES)
def test_what_outlasts_its_tries_ends_the_run_in_one_line(server, complete, fail):
    server.act = failing(99, fail)
    with pytest.raises(EnvironmentFailure) as failure:
        complete([QUESTIONS[0]])
    assert len(server.asked) == 3
    assert "3 times; replies so far are kept; the same command goes on" in str(failure.value)
    assert str(failure.value).startswith(server.url)
    assert str(failure.value).isprintable()


def test_a_server_that_is_not_there_is_one_line(server, complete):
    server.close()
    with pytest.raises(EnvironmentFailure, match="cannot be reached"):
        complete([QUESTIONS[0]])


def test_a_slow_drip_is_no_reply(server, complete):
    stop = threading.Event()

    def drip(handler, body, number):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while not stop.wait(0.05):
            handler.wfile.write(b" ")

    server.act = drip
    with pytest.raises(EnvironmentFailure, match=r"no whole reply within 0\.3 s, 2 times"):
        complete([QUESTIONS[0]], timeout=0.3, attempts=2)
    stop.set()


def test_a_server_is_asked_again_when_it_says(server, complete):
    server.act = failing(1, lambda h: h.say(b"{}", 429, [("Retry-After", "1")]))
    started = datetime.now(UTC)
    assert texts(complete([QUESTIONS[0]])) == ["at last"]
    assert datetime.now(UTC) - started >= timedelta(seconds=1)


@pytest.mark.parametrize(("text", "seconds"), [("7", 7), ("0", 0), ("99999999", 600)])
def test_a_wait_is_asked_for_in_seconds(text, seconds):
    assert retry_after(text) == seconds


@pytest.mark.parametrize(
    ("ahead", "low", "high"),
    [(timedelta(seconds=300), 240, 300), (timedelta(days=2), 600, 600), (-timedelta(days=1), 0, 0)],
    ids=["soon", "too late", "past"],
)
def test_a_wait_is_asked_for_by_date(ahead, low, high):
    date = format_datetime(datetime.now(UTC) + ahead, usegmt=True)
    assert low <= retry_after(date) <= high


@pytest.mark.parametrize("text", ["", "soon", "-1", "nan", "1e3", "٣", "Mon, 99 Foo 2026", "9" * 9])
def test_other_waits_are_none_or_bounded(text):
    seconds = retry_after(text)
    assert seconds is None or seconds == MAX_RETRY_AFTER


def test_a_huge_reply_is_cut_off_and_counted_as_unreadable(server, complete):
    sent = []

    def flood(handler, body, number):
        handler.send_response(200)
        handler.send_header("Content-Length", str(100 << 20))
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b"x" * (1 << 20))
            sent.append(1 << 20)

    server.act = flood
    assert [(reply.text, reply.why) for reply in complete([QUESTIONS[0]])] == [("", TOO_LONG)]
    assert sum(sent) < 50 << 20
    assert [reply.why for reply in complete([QUESTIONS[0]])] == [TOO_LONG]
    assert len(server.asked) == 1, "it is not paid for again"


def test_a_packed_reply_is_not_unpacked(server, complete):
    packed = gzip.compress(completion("a small file that may become a large one"))
    server.act = failing(9, lambda h: h.say(packed, 200, [("Content-Encoding", "gzip")]))
    with pytest.raises(EnvironmentFailure, match="is no chat completion"):
        complete([QUESTIONS[0]])
    assert server.headers[0]["accept-encoding"] == "identity"


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
def test_what_does_not_pass_ends_the_run_at_once(server, complete, status, body, expected):
    server.act = lambda h, *_: h.say(body, status, [("Location", f"{server.url}/elsewhere")])
    with pytest.raises(EnvironmentFailure, match=expected):
        complete([QUESTIONS[0]])
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (200, completion(None, message={"refusal": "no"}), REFUSED),
        (200, completion("", finish_reason="content_filter"), FILTERED),
        (200, completion("a part", finish_reason="SAFETY"), FILTERED),
        (400, b'{"error": {"code": "content_filter", "message": "no"}}', FILTERED),
        (400, b'{"error": {"type": "content_policy_violation"}}', FILTERED),
    ],
)
def test_a_refusal_is_a_reply_and_is_kept(server, complete, status, body, why):
    server.act = lambda handler, *_: handler.say(body, status)
    for _ in range(2):
        (reply,) = complete([question("asked", SCHEMA)])
        assert reply.why == why
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
def test_what_servers_say_is_read_in_all_its_forms(server, complete, data, text, tokens):
    server.act = lambda handler, *_: handler.say(data)
    (reply,) = complete([QUESTIONS[0]])
    assert (reply.text, (reply.prompt_tokens, reply.completion_tokens)) == (text, tokens)


def test_equal_requests_are_asked_once_and_kept_replies_not_at_all(server, complete):
    one, other = QUESTIONS[:2]
    assert texts(complete([one, other, one])) == ["reply 0", "reply 1", "reply 0"]
    assert texts(complete([other, QUESTIONS[2], one])) == ["reply 1", "reply 2", "reply 0"]
    assert len(server.asked) == 3


def test_another_version_of_a_model_is_another_model(server, complete):
    assert texts(complete([QUESTIONS[0]])) == ["reply 0"]
    assert texts(complete([QUESTIONS[0]], version="2")) == ["reply 1"]
    assert texts(complete([QUESTIONS[0]])) == ["reply 0"]


def test_what_may_differ_each_time_is_not_kept(server, complete):
    ask = [QUESTIONS[0], QUESTIONS[0]]
    assert texts(complete(ask, temperature=0.7)) == ["reply 0", "reply 1"]
    assert texts(complete(ask, temperature=0.7)) == ["reply 2", "reply 3"]


def test_so_many_requests_at_once_and_no_more(server, complete):
    together = threading.Barrier(3)

    def act(handler, body, number):
        together.wait(timeout=30)  # breaks unless three are under way
        handler.say(completion(body["messages"][0]["content"]))

    server.act = act
    found = complete(QUESTIONS, concurrency=3)
    assert texts(found) == [f"question {number}\nin words" for number in range(6)]
    assert server.most == 3


def test_a_fault_lets_what_is_under_way_finish_and_be_kept(server, complete):
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
        complete(QUESTIONS, concurrency=2)
    paid = [body["messages"][0]["content"] for body in server.answered]
    before = len(server.asked)
    server.act = lambda handler, *_: handler.say(completion("now"))
    assert texts(complete(QUESTIONS))[1] == "kept"
    again = [body["messages"][0]["content"] for body in server.asked[before:]]
    assert len(paid) + len(again) == len({*paid, *again}) == len(QUESTIONS)


def test_a_fault_does_not_wait_for_those_that_wait(server, complete):
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
        complete(QUESTIONS[:2], concurrency=2)
    assert datetime.now(UTC) - started < timedelta(seconds=400)


def test_a_schema_that_a_server_refuses_says_nothing_of_another(server, complete):
    other = {"type": "object", "properties": {"videos": {"type": "array"}}}

    def act(handler, body, number):
        refused = "start" in json.dumps(body.get("response_format", ""))
        handler.say(b"no" if refused else completion("{}"), 400 if refused else 200)

    server.act = act
    told = [question("one", SCHEMA), question("two", other), question("three", other)]
    assert [reply.structured for reply in complete(told)] == [False, True, True]


def test_a_budget_ends_the_run_and_a_larger_one_goes_on(server, complete):
    each = sum(TOKENS.values())
    with pytest.raises(BudgetExceededError, match=r"330 of 250 tokens.*larger --set budget_tokens"):
        complete(QUESTIONS, budget_tokens=2 * each + 30)
    assert len(server.asked) == 3
    assert len(complete(QUESTIONS, budget_tokens=100 * each)) == 6
    assert len(server.answered) == 6


def test_a_kept_reply_counts_against_the_budget_too(server, complete):
    complete(QUESTIONS[:2])
    with pytest.raises(BudgetExceededError):
        complete(QUESTIONS[:3], budget_tokens=2 * sum(TOKENS.values()))
    assert len(server.asked) == 2


def test_equal_requests_count_each_against_the_budget(server, complete):
    one, other = QUESTIONS[:2]
    with pytest.raises(BudgetExceededError):
        complete([one, one, other], budget_tokens=2 * sum(TOKENS.values()))
    assert len(server.asked) == 1


def test_without_structured_output_the_same_is_asked_in_words(server, complete):
    def act(handler, body, number):
        if "response_format" in body:
            handler.say(b'{"error": {"message": "response_format is not supported"}}', 400)
        else:
            handler.say(completion("video 3"))

    server.act = act
    requests = [question(str(number), SCHEMA) for number in range(3)]
    found = complete(requests)
    assert [(reply.text, reply.structured) for reply in found] == [("video 3", False)] * 3
    endings = [body["messages"][0]["content"].split("\n")[1] for body in server.asked]
    assert endings == ["as JSON", "in words", "in words", "in words"]
    complete(requests)
    assert len(server.asked) == 4, "kept under what was asked for at first"


def test_structured_output_is_asked_for_by_a_schema(server, complete):
    (reply,) = complete([question("x", SCHEMA)])
    told = server.asked[0]["response_format"]
    assert (told["type"], told["json_schema"]["strict"]) == ("json_schema", True)
    assert told["json_schema"]["schema"] == SCHEMA
    assert reply.structured
    complete([question("y", SCHEMA)], structured=False)
    assert "response_format" not in server.asked[1]


def test_seed_and_temperature_are_passed(server, complete):
    complete([QUESTIONS[0]])
    assert (server.asked[0]["seed"], server.asked[0]["temperature"]) == (0, 0.0)


@pytest.mark.parametrize("status", [200, 401, 500])
def test_a_key_goes_into_its_header_and_nowhere_else(
    server, complete, tmp_path, caplog, capfd, status
):
    caplog.set_level(logging.DEBUG)
    echoed = f"Incorrect key: {SECRET}"
    server.act = lambda h, *_: h.say(
        completion(echoed) if status == 200 else echoed.encode(), status
    )
    told = ""
    try:
        told = complete([QUESTIONS[0]], key=SECRET)[0].text
    except EnvironmentFailure as failure:
        told = f"{failure!r} {failure.__cause__!r} {failure.__context__!r}"
    assert "Incorrect key: [key]" in told
    assert server.headers[0]["authorization"] == f"Bearer {SECRET}"
    kept = b"".join(path.read_bytes() for path in (tmp_path / "cache").rglob("*"))
    everything = f"{told} {caplog.text} {capfd.readouterr()} {kept!r} {json.dumps(server.asked)}"
    assert SECRET not in everything
    assert SECRET not in repr(ServerAccess(server.url, ApiKey(SECRET)))


def test_without_a_key_none_is_sent(server, complete):
    complete([QUESTIONS[0]])
    assert "authorization" not in server.headers[0]


@pytest.mark.parametrize("key", ["", SECRET])
def test_only_what_a_request_needs_is_sent(server, complete, key):
    complete([QUESTIONS[0]], key=key)
    (headers,) = server.headers
    assert ELSEWHERE not in str(headers)
    assert set(headers) - {"authorization"} == {
        *("host", "connection", "accept", "accept-encoding", "content-type", "content-length"),
        "user-agent",
    }


def test_an_error_that_never_ends_is_cut_off(server, complete):
    sent = []

    def flood(handler, body, number):
        handler.send_response(404)
        handler.send_header("Content-Length", str(100 << 20))
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b"x" * (1 << 20))
            sent.append(1 << 20)

    server.act = flood
    with pytest.raises(EnvironmentFailure, match='answers 404 \\("xxx'):
        complete([QUESTIONS[0]])
    assert sum(sent) < 50 << 20


def test_a_reply_as_long_as_allowed_is_read_and_a_longer_one_is_not(server, complete):
    short, long = (completion("x" * length) for length in (MAX_REPLY - 1000, MAX_REPLY))
    server.act = lambda handler, body, number: handler.say((short, long)[number])
    one, other = complete(QUESTIONS[:2])
    assert (len(one.text), one.why) == (MAX_REPLY - 1000, None)
    assert (other.text, other.why) == ("", TOO_LONG)
