"""The key of a reply in the cache depends on all that is sent, and never changes."""

import pytest

from harness.chat.messages import Message, Request
from harness.chat.wire_format import ChatModel

SCHEMA = {"type": "object", "properties": {"start": {"type": "number"}}, "required": ["start"]}
MESSAGES = (
    Message("system", ("Find it.",)),
    Message("user", ("视频 1", b"\xff\xd8jpeg", "which?")),
)
REQUEST = Request(MESSAGES, "in words", "as JSON", SCHEMA)
MODEL = ChatModel("toy", "2", {"temperature": 0.0, "seed": 0, "max_tokens": None}, True)


@pytest.mark.parametrize(
    ("structured", "expected"),
    [
        (True, "9417bd8d366b7113ef10d27d1e99e3a5cb4cb0bb2ec1e15d9e532233736ac3e8"),
        (False, "304e661ebc95240acab736c5b19ef18bfae325e8874ff0289265c9f2a91feb33"),
    ],
)
def test_a_key_is_that_of_version_0_1_0(structured, expected):
    """Computed by the client before it stood on `openai`: replies of earlier runs are found."""
    assert MODEL._replace(structured=structured).cache_key(REQUEST) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"version": "3"},
        {"parameters": {"temperature": 0.0, "seed": 1}},
        {"structured": False},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_model_or_parameter_has_another_key(change):
    assert MODEL._replace(**change).cache_key(REQUEST) != MODEL.cache_key(REQUEST)


@pytest.mark.parametrize(
    "change",
    [
        {"messages": MESSAGES[1:]},
        {"messages": (MESSAGES[0], Message("user", ("视频 1", b"\xff\xd8other", "which?")))},
        {"json_ending": "as other JSON"},
        {"schema": None},
    ],
    ids=["messages", "picture", "ending", "schema"],
)
def test_another_request_has_another_key(change):
    assert MODEL.cache_key(REQUEST._replace(**change)) != MODEL.cache_key(REQUEST)


def test_replies_that_differ_from_time_to_time_have_no_key():
    assert MODEL._replace(parameters={"temperature": 0.7}).cache_key(REQUEST) is None
    assert MODEL._replace(parameters={}).cache_key(REQUEST) is None
