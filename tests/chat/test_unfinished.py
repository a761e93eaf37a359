"""What a model did not finish is asked for again, and not kept; schemas may be refused."""

import json
import time

import pytest

from harness.chat.messages import IN_REASONING, NO_TOKENS, TOOL_CALL, Message, Request
from harness.errors import EnvironmentFailure
from tests.chat.servers import Server, completion

SCHEMA = {"type": "object", "properties": {"start": {"type": "number"}}, "required": ["start"]}
OTHER = {"type": "object", "properties": {"end": {"type": "number"}}, "required": ["end"]}
SECRET = "sk-very-secret-0123456789abc"  # 28 characters
ZERO = {"prompt_tokens": 100, "completion_tokens": 0}
UNFINISHED = {
    "length": completion("It is vid", finish_reason="length"),
    "MAX_TOKENS": completion("It is vid", finish_reason="MAX_TOKENS"),
    "thoughts up to the limit": completion(
        None, finish_reason="length", message={"reasoning_content": "Video 3"}
    ),
    "empty of zero tokens": completion("", usage=ZERO),
    "blank of zero tokens": completion(" \n", usage=ZERO),
}
NOT_KEPT = {
    TOOL_CALL: completion(None, finish_reason="tool_calls", message={"tool_calls": [{"id": "1"}]}),
    IN_REASONING: completion("", message={"reasoning_content": "It is video 3."}),
}
FAULTS = {
    "error": completion("It is", finish_reason="error"),
    "abort": completion("", finish_reason="abort"),
    "error beside the reply": completion("It is", error={"code": 502, "message": "gone"}),
}
unfinished = pytest.mark.parametrize("data", UNFINISHED.values(), ids=UNFINISHED)


def question(text, schema=None):
    return Request((Message("user", (text,)),), "in words", "as JSON", schema)


@unfinished
def test_what_is_unfinished_is_asked_for_once_more(server, complete, data):
    server.act = lambda h, body, number: h.say(data if number == 0 else completion("whole"))
    (reply,) = complete([question("a")])
    assert (reply.text, reply.why, reply.cut) == ("whole", None, False)
    assert reply.prompt_tokens == 200, "the first try was paid for too"
    complete([question("a")])
    assert len(server.asked) == 2, "the whole one is kept"


@unfinished
def test_what_stays_unfinished_is_a_reply_that_is_never_kept(server, complete, cache, data):
    server.act = lambda handler, *_: handler.say(data)
    (reply,) = complete([question("a")])
    assert cache.count("toy") == 0
    assert reply.cut or reply.why == NO_TOKENS
    assert len(server.asked) == 2
    server.act = lambda handler, *_: handler.say(completion("whole"))
    assert [again.text for again in complete([question("a")])] == ["whole"]


@pytest.mark.parametrize(("why", "data"), NOT_KEPT.items(), ids=NOT_KEPT)
def test_what_another_start_of_the_server_mends_is_not_kept(server, complete, why, data):
    server.act = lambda handler, *_: handler.say(data)
    assert [reply.why for reply in complete([question("a")])] == [why]
    assert len(server.asked) == 1
    server.act = lambda handler, *_: handler.say(completion("whole"))
    assert [reply.text for reply in complete([question("a")])] == ["whole"]


@pytest.mark.parametrize("data", FAULTS.values(), ids=FAULTS)
def test_a_reply_that_ends_in_an_error_is_tried_again_and_then_ends_the_run(server, complete, data):
    server.act = lambda h, body, number: h.say(data if number < 2 else completion("whole"))
    assert [reply.text for reply in complete([question("a")])] == ["whole"]
    server.act = lambda handler, *_: handler.say(data)
    with pytest.raises(EnvironmentFailure, match=r"ended in an error .* 3 times; replies so far"):
        complete([question("b")])


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 100.0, "completion_tokens": 10.5},
        {"prompt_tokens": "100", "completion_tokens": "ten"},
        {"prompt_tokens": True, "completion_tokens": None},
        {"prompt_tokens": 1e999, "completion_tokens": [10]},
        {"prompt_tokens": 10**400},
        ["prompt_tokens", 100],
        "many",
        7,
    ],
)
def test_odd_counts_of_tokens_are_unknown_and_lose_no_reply(server, complete, usage):
    data = completion("whole", usage=usage).replace(b"Infinity", b"1e999")
    server.act = lambda handler, *_: handler.say(data)
    (reply,) = complete([question("a")])
    assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == ("whole", None, None)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "thinking", "thinking": [{"text": "3"}]}, {"type": "text", "text": "7"}], "7"),
        ([{"type": "reasoning", "text": "3"}, {"type": "output_text", "text": "7"}], "7"),
        (["7", {"text": "!"}], "7!"),
        ([{"type": "text", "text": None}, {"type": None, "text": "7"}], "7"),
    ],
)
def test_parts_of_thoughts_are_no_text(server, complete, content, text):
    server.act = lambda handler, *_: handler.say(completion(content, finish_reason=7))
    assert [reply.text for reply in complete([question("a")])] == [text]


def refusing(status, words=b"oops"):
    def act(handler, body, number):
        if "response_format" in body:
            handler.say(words, status)
        else:
            handler.say(completion(f"video {number}"))

    return act


@pytest.mark.parametrize("status", [400, 404, 422, 500, 501])
@pytest.mark.parametrize("attempts", [1, 3])
def test_a_schema_that_a_server_refuses_is_asked_in_plain_words(server, complete, status, attempts):
    server.act = refusing(status)
    found = complete([question(name, SCHEMA) for name in "abc"], attempts=attempts)
    assert [reply.structured for reply in found] == [False] * 3
    assert all(reply.text.startswith("video") for reply in found)
    by_schema = ["response_format" in body for body in server.asked]
    assert by_schema[-2:] == [False, False], "refused once, it is not asked for again"
    assert sum(by_schema) == (2 if status >= 500 else 1)


def test_a_fault_is_no_refusal_where_the_schema_is_followed(server, complete):
    def act(handler, body, number):
        if number in (1, 3):
            handler.say(b"busy", 500)
        else:
            handler.say(completion("{}"))

    server.act = act
    found = complete([question(name, SCHEMA) for name in "abc"])
    assert [reply.structured for reply in found] == [True] * 3
    assert all("response_format" in body for body in server.asked)


def test_a_fault_at_the_first_request_is_no_refusal(server, complete):
    server.act = lambda h, body, number: (
        h.say(b"busy", 500) if number == 0 else h.say(completion("{}"))
    )
    found = complete([question(name, SCHEMA) for name in "abc"])
    assert [reply.structured for reply in found] == [True] * 3


def test_one_schema_is_refused_and_another_followed(server, complete):
    def act(handler, body, number):
        refused = "start" in json.dumps(body.get("response_format", {}))
        handler.say(*((b"no", 400) if refused else (completion("{}"), 200)))

    server.act = act
    found = complete([question("a", SCHEMA), question("b", OTHER), question("c")])
    assert [reply.structured for reply in found] == [False, True, None]


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        (400, "Use 'max_completion_tokens' instead of 'max_tokens'", "max_completion_tokens"),
        (400, "temperature does not support 0.0 with this model", '"temperature": null'),
        (422, "seed: extra fields not permitted", '"seed": null'),
        (400, "guided decoding failed", "structured=off"),
        (500, "json_schema: not implemented", "structured=off"),
        (400, "max_tokens is too large", "--set max_tokens=N"),
        (400, "prompt exceeds the context window", "fewer or smaller frames"),
    ],
)
def test_a_hint_names_the_setting_that_helps(server, complete, status, words, expected):
    server.act = lambda handler, *_: handler.say(json.dumps({"error": words}).encode(), status)
    with pytest.raises(EnvironmentFailure) as failure:
        complete([question("a")])
    assert expected in str(failure.value).rpartition(words[-10:])[2]


def test_what_takes_too_long_has_a_hint(server, complete):
    server.act = lambda handler, *_: time.sleep(0.5)
    with pytest.raises(EnvironmentFailure, match=r"--set timeout=SECONDS .* structured=off"):
        complete([question("a")], timeout=0.1, attempts=1)


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("before", [150, 180, *range(190, 202)])
def test_a_key_at_the_place_where_a_message_is_cut_shows_in_no_part(
    server, complete, status, before
):
    server.act = lambda h, *_: h.say(b"x" * before + SECRET.encode() + b"y" * 100, status)
    with pytest.raises(EnvironmentFailure) as failure:
        complete([question("a")], key=SECRET)
    assert SECRET[:3] not in str(failure.value)


def test_a_reply_cut_inside_a_key_shows_none_of_it(server, complete, tmp_path):
    server.act = lambda h, *_: h.say(completion(f"I was given {SECRET[:20]}"))
    (reply,) = complete([question("a")], key=SECRET)
    assert reply.text == "I was given [key]"
    assert SECRET[:8].encode() not in b"".join(
        path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    )


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_takes_the_key_to_no_other_server(server, complete, status):
    other = Server()
    try:
        server.act = lambda h, *_: h.say(
            b"", status, [("Location", f"{other.url}/chat/completions")]
        )
        with pytest.raises(EnvironmentFailure, match=f"answers {status}"):
            complete([question("a")], key=SECRET)
        assert (len(server.asked), other.asked) == (1, [])
    finally:
        other.close()
