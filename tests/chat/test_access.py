"""A key shows nowhere: not whole, not cut, not escaped, and not unencrypted without a word."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.chat.access import SHOWN, ApiKey, ServerAccess, sends_in_the_clear

SECRET = "sk-proj/Ab+cdefGHIJ0123456789"
ESCAPED = {
    "as it is": SECRET,
    "in lower case": SECRET.lower(),
    "JSON": json.dumps(SECRET).strip('"'),
    "JSON, slash escaped": SECRET.replace("/", "\\/"),
    "JSON, all escaped": "".join(f"\\u{ord(sign):04X}" for sign in SECRET),
    "one escaped": SECRET.replace("-", "\\u002d"),
    "address": quote(SECRET, safe=""),
    "HTML": "".join(f"&#{ord(sign)};" for sign in SECRET),
    "HTML, hexadecimal": SECRET.replace("/", "&#x2F;"),
    "twice": SECRET * 2,
}


@pytest.mark.parametrize("text", ESCAPED.values(), ids=ESCAPED)
def test_a_key_is_blotted_out_however_it_is_escaped(text):
    left = ApiKey(SECRET).redact(f"key {text} is wrong")
    assert left.replace("[key]", "") == "key  is wrong"


@pytest.mark.parametrize("form", ["\\u{:04x}", "\\x{:02x}", "%{:02X}", "&#{};"])
def test_signs_with_which_escapes_begin_are_blotted_out_too(form):
    secret = "sk-abcdefgu75x78%25&u0023"
    text = "".join(form.format(ord(sign)) for sign in secret)
    assert ApiKey(secret).redact(f"key {text} is wrong") == "key [key] is wrong"


@pytest.mark.parametrize("length", range(SHOWN + 1, len(SECRET)))
def test_the_beginning_of_a_key_is_blotted_out(length):
    assert ApiKey(SECRET).redact(f"key {SECRET[:length]}") == "key [key]"
    assert ApiKey(SECRET).redact(f"key {SECRET[:length]}…") == "key [key]…"


@pytest.mark.parametrize("before", ["", "a", "ab", "Bearer ", "me:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_key_in_base64_is_blotted_out(before, encode):
    text = encode(f"{before}{SECRET}/more".encode()).decode()
    left = ApiKey(SECRET).redact(text)
    assert "[key]" in left
    assert len(left.replace("[key]", "")) < len(text) - len(SECRET)


@given(st.text(max_size=30), st.text(max_size=30))
def test_other_text_stays(before, after):
    key = ApiKey(SECRET)
    assume(not before.endswith("\\"))  # a sign before a character may escape it: it goes too
    if "sk" not in (before + after).lower() and "[key]" not in before + after:
        assert key.redact(before) == before
        assert key.redact(f"{before}{SECRET} {after}") == f"{before}[key] {after}"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("", "video 1"),
        ("1", "video 1"),
        ("none", "none of them"),
        ("EMPTY", "an empty room, EMPTYING"),
    ],
)
def test_a_placeholder_for_a_key_takes_nothing_from_a_reply(key, text):
    assert ApiKey(key).redact(text) == text


@pytest.mark.parametrize(
    ("url", "key", "expected"),
    [
        ("http://192.0.2.7:8000/v1", SECRET, True),
        ("http://gpu.example/v1", SECRET, True),
        ("http://gpu.example/v1", "", False),
        ("https://gpu.example/v1", SECRET, False),
        ("http://localhost:8000/v1", SECRET, False),
        ("http://127.0.0.1/v1", SECRET, False),
        ("http://[::1]/v1", SECRET, False),
    ],
)
def test_a_key_over_plain_http_to_another_machine_is_noticed(url, key, expected):
    assert sends_in_the_clear(ServerAccess(url, ApiKey(key))) is expected
