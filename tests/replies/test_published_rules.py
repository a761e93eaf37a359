"""What the published scorer reads: its golden readings, and its expressions as they are stated."""

import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.replies.published_rules import official_number, official_spans, reference_spans

TEXTS = st.text(alphabet="0123456789.-s vVideo\n!?中秒:é_", max_size=40)


def stated_number(text):
    found = re.search(r"(?i)\bvideo\s+(10|[0-9])\b", text)
    return found and int(found.group(1))


def stated_span(text):
    text = text.lower().replace("a specific example is : 20.8 - 30.0 seconds", "")
    text = re.sub(r"\.\.+", ".", text)
    spans = re.findall(r"(\d+\.*\d*)s?\s*-\s*(\d+\.*\d*)s?", text)
    if not spans:
        numbers = []
        for piece in re.split(r"[!?\n]", text):
            found = re.search(r"\b(\d+\.\d+\b|\b\d+)\b", piece)
            if found:
                numbers.append(found.group(1))
        spans = list(zip(numbers[0::2], numbers[1::2], strict=False))
    spans = [tuple(sorted(map(float, span))) for span in spans] or [(0.0, 0.0)]
    return spans[0]


def stated_reference(text):
    found = re.findall(r"(\d+(?:\.\d+)?)s-(\d+(?:\.\d+)?)s", text)
    return [float(time) for span in found for time in span]


def test_golden_readings(shared):
    rows = json.loads((shared / "golden" / "replies.json").read_text("utf-8"))["rows"]
    assert len(rows) == 32
    for row in rows:
        assert official_number(row["text"]) == row["video"], row
        assert list(official_spans(row["text"])) == row["span"], row
        assert reference_spans(row["text"]) == row["reference_spans"], row


@given(TEXTS)
def test_numbers_are_those_of_the_stated_expression(text):
    assert official_number(text) == stated_number(text)


@given(TEXTS)
def test_spans_are_those_of_the_stated_expressions(text):
    assert official_spans(text) == stated_span(text)


@given(TEXTS)
def test_reference_spans_are_those_of_the_stated_expression(text):
    assert reference_spans(text) == stated_reference(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("video 3", 3),
        ("VIDEO\n10", 10),
        ("video 100", None),
        ("video ３", None),
        ("在video 4中", None),
    ],
)
def test_numbers_worked_by_hand(text, number):
    assert official_number(text) == number


def test_a_number_of_400_digits_is_infinite():
    assert official_spans("5 - " + "9" * 400) == (5.0, float("inf"))


@pytest.mark.parametrize(
    "unit",
    ["1", "1.", "5 ", "5-", "5s", "1a", ".", " ", "video ", "video" + " " * 50, "5s-", "9 \n"],
)
def test_reading_takes_linear_time(unit):
    # A quadratic expression takes minutes for a quarter of a million characters.
    text = (unit * 250_000)[:250_000]
    begun = time.perf_counter()
    official_number(text)
    official_spans(text)
    reference_spans(text)
    assert time.perf_counter() - begun < 5
