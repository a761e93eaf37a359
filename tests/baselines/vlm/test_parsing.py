"""Whatever a model says is read as numbers and times within bounds, or not at all."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.vlm.parsing import LONGEST, read_choice, read_grounding, words
from harness.chat.messages import Reply
from harness.replies import REASONS

PIECES = [
    *("video 3", '{"videos": [', "]", "}", '"reply": "', '{"start": 1.5, "end": ', "NaN", "1e999"),
    *("-5", "```json\n", "```", "</think>", "<think>", "视频三", "\x00", "\U000e0001", "2s - 9s"),
    *("9" * 30, "null", "true", '"', ",", " ", "\n"),
]
texts = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
KNOWN = set(REASONS)


@given(texts, st.booleans(), st.integers(1, 10))
def test_a_choice_is_of_the_candidates_or_has_a_reason(text, cut, count):
    found = read_choice(Reply(text, cut=cut), count)
    assert all(1 <= number <= count for number in found.numbers)
    assert len(set(found.numbers)) == len(found.numbers)
    assert (found.why is None) == bool(found.numbers)
    assert found.why is None or found.why in KNOWN
    assert len(found.response) <= LONGEST


@given(texts, st.booleans(), st.one_of(st.none(), st.integers(1, 10**6)))
def test_a_moment_is_inside_its_video_or_has_a_reason(text, cut, duration):
    found = read_grounding(Reply(text, cut=cut), "a.mp4", duration)
    assert (found.why is None) == (found.moment is not None)
    assert found.why is None or found.why in KNOWN
    if found.moment is not None:
        assert 0 <= found.moment.start < found.moment.end
        assert duration is None or found.moment.end <= duration


@given(st.floats(0, 10**6), st.floats(0, 10**6))
def test_a_span_in_json_is_read_to_the_millisecond(start, end):
    text = json.dumps({"start": start, "end": end, "reply": ""})
    found = read_grounding(Reply(text, structured=True), "a.mp4", None)
    low, high = sorted((round(1000 * start), round(1000 * end)))
    expected = (low, high) if low < high else None
    assert (found.moment and (found.moment.start, found.moment.end)) == expected


def test_what_is_no_reply_keeps_its_reason():
    gone = Reply(why="refused by the model or its server")
    assert read_choice(gone, 4).why == read_grounding(gone, "a", None).why == gone.why


@pytest.mark.parametrize(
    ("text", "expected"),
    [("<think>a\nb</think>\nc", "c"), ("\ud800", "?"), (" x ", "x"), ("a" * 9999, "a" * LONGEST)],
)
def test_a_response_is_what_is_meant_for_the_user(text, expected):
    assert words(Reply(text)) == expected
