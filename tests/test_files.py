"""JSON for people: what hides or reorders text stands as an escape, and the value is the same."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.files import readable

HIDDEN = [
    "\x7f",
    "\x9b",
    "\xa0",
    "\xad",
    "\u200b",
    "\u200f",
    "\u2028",
    "\u202e",
    "\u2066",
    "\ufeff",
]


@pytest.mark.parametrize("mark", [*HIDDEN, "\ue000", "\U000e0001"], ids=ascii)
def test_what_deceives_a_reader_is_escaped(mark):
    written = readable({mark: [f"a{mark}b"]})
    assert mark not in written.decode()
    assert json.loads(written) == {mark: [f"a{mark}b"]}


def test_what_can_be_seen_stands_as_it_is():
    assert readable({"a": "猫 é 😀"}).decode() == '{\n  "a": "猫 é 😀"\n}\n'


@given(st.dictionaries(st.text(), st.text() | st.integers(-(2**63), 2**63)))
def test_the_value_is_the_same(value):
    assert json.loads(readable(value)) == value
