"""Any number and any span, written in any of the forms, is read back; no text is a crash."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.records import Span
from harness.replies import candidate_number, span
from harness.replies.normalise import LONGEST, plain

HAN = "零一二三四五六七八九"
WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
ORDINALS = (
    *("first", "second", "third", "fourth", "fifth"),
    *("sixth", "seventh", "eighth", "ninth", "tenth"),
)
SUFFIX = {1: "st", 2: "nd", 3: "rd"}


def han(n):
    """A Chinese numeral, 0 to 199."""
    hundreds, rest = divmod(n, 100)
    tens, ones = divmod(rest, 10)
    if hundreds:
        middle = f"{HAN[tens]}十" if tens else "零" if ones else ""
        return f"{HAN[hundreds]}百{middle}{HAN[ones] if ones else ''}"
    if not tens:
        return HAN[ones]
    return f"{HAN[tens] if tens > 1 else ''}十{HAN[ones] if ones else ''}"


def wide(text):
    return "".join(chr(ord(c) + 0xFEE0) if c in "0123456789:" else c for c in text)


def seconds(ms):
    return f"{ms / 1000:.3f}".rstrip("0").rstrip(".")


def clock(ms):
    minutes, rest = divmod(ms, 60_000)
    return f"{minutes}:{rest // 1000:02d}.{rest % 1000:03d}"


def srt(ms):
    minutes, rest = divmod(ms, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d},{rest % 1000:03d}"


NUMBER_FORMS = {
    "video n": lambda n: f"The query matches video {n}.",
    "videon": lambda n: f"video{n}",
    "VIDEO": lambda n: f"VIDEO  {n}: 2 people are in it.",
    "hash": lambda n: f"Video #{n}",
    "nth": lambda n: f"It is the {n}{SUFFIX.get(n, 'th')} video.",
    "ordinal": lambda n: f"the {ORDINALS[n - 1]} candidate",
    "word": lambda n: f"Video {WORDS[n - 1]} it is.",
    "brackets": lambda n: f"({n})",
    "tag": lambda n: f"<VID> {n} </VID>",
    "answer": lambda n: f"Not video {n % 10 + 1}. The answer is {n}.",
    "bare": lambda n: str(n),
    "zh": lambda n: f"第{n}个视频",
    "zh numeral": lambda n: f"第{han(n)}个视频符合描述。",
    "zh noun": lambda n: f"视频{han(n)}",
    "zh glued": lambda n: f"在video {n}中有一个人。",
    "zh wide": lambda n: wide(f"视频{n}"),
    "zh number": lambda n: f"{n}号视频",
}
SPAN_FORMS = {
    "Xs-Ys": lambda a, b: f"{seconds(a)}s-{seconds(b)}s",
    "dash": lambda a, b: f"The given query happens {seconds(a)} - {seconds(b)} seconds.",
    "en dash": lambda a, b: f"{seconds(a)}–{seconds(b)} s",
    "from to": lambda a, b: f"from {seconds(a)} to {seconds(b)} seconds",
    "between": lambda a, b: f"between {seconds(a)} and {seconds(b)} seconds",
    "clock": lambda a, b: f"{clock(a)}-{clock(b)}",
    "srt": lambda a, b: f"{srt(a)} --> {srt(b)}",
    "labels": lambda a, b: f"It starts at {seconds(a)} s. It ends at {seconds(b)} s.",
    "lines": lambda a, b: f"starts at {seconds(a)}\nends at {seconds(b)}",
    "json": lambda a, b: f'{{"start": {seconds(a)}, "end": {seconds(b)}}}',
    "list": lambda a, b: f"[{seconds(a)}, {seconds(b)}]",
    "length": lambda a, b: f"starts at {seconds(a)} s and lasts {seconds(b - a)} s",
    "decoy": lambda a, b: f"2-3 people at {seconds(a)}s-{seconds(b)}s",
    "video": lambda a, b: f"video 7, {seconds(a)}s to {seconds(b)}s",
    "minutes": lambda a, b: (
        f"{a // 60_000}m{seconds(a % 60_000)}s-{b // 60_000}m{seconds(b % 60_000)}s"
    ),
    "zh": lambda a, b: f"从{seconds(a)}秒到{seconds(b)}秒",
    "zh unit once": lambda a, b: f"{seconds(a)}到{seconds(b)}秒",
    "zh wide": lambda a, b: wide(f"从{seconds(a)}秒到{seconds(b)}秒"),
    "zh labels": lambda a, b: f"开始于{seconds(a)}秒，结束于{seconds(b)}秒",
    "zh decoy": lambda a, b: f"有2-3个人，{seconds(a)}秒至{seconds(b)}秒",
}
TIMES = st.tuples(st.integers(0, 7_200_000), st.integers(1, 600_000)).map(
    lambda pair: (pair[0], pair[0] + pair[1])
)
HOSTILE = st.text(
    alphabet="0123456789.:-~秒分第视频到从个一十video startend to()[]#'\"\n,s中", max_size=60
)


@pytest.mark.parametrize("form", NUMBER_FORMS)
@pytest.mark.parametrize("number", range(1, 11))
def test_a_number_in_any_form_is_read_back(form, number):
    assert candidate_number(NUMBER_FORMS[form](number)).value == number


@pytest.mark.parametrize("form", SPAN_FORMS)
@given(times=TIMES)
@example(times=(0, 1000))
@example(times=(59_999, 60_000))
def test_a_span_in_any_form_is_read_back(form, times):
    assert span(SPAN_FORMS[form](*times)).value == Span(*times)


@given(st.integers(0, 198).flatmap(lambda a: st.tuples(st.just(a), st.integers(a + 1, 199))))
def test_a_span_in_chinese_numerals_is_read_back(pair):
    start, end = pair
    text = f"从{han(start)}秒到{han(end)}秒"
    assert span(text).value == Span(1000 * start, 1000 * end)


@given(TIMES)
def test_a_reversed_span_is_put_in_order(times):
    assert span(f"{seconds(times[1])} - {seconds(times[0])} seconds").value == Span(*times)


@given(st.one_of(st.text(max_size=80), HOSTILE))
def test_any_text_gives_a_value_in_range_or_a_reason(text):
    number, found = candidate_number(text), span(text)
    assert (number.value is None) == (number.why is not None)
    assert number.value is None or 1 <= number.value <= 10
    assert (found.value is None) == (found.why is not None)


@pytest.mark.parametrize(("candidates", "value"), [(3, None), (4, 4), (0, None)])
def test_numbers_past_the_candidates_are_none_of_them(candidates, value):
    assert candidate_number("video 4", candidates).value == value


def test_numbers_of_400_digits_are_no_numbers():
    digits = "9" * 400
    assert candidate_number(f"video {digits}").value is None
    assert span(f"{digits}s-{digits}9s").value is None
    assert span(f"5s-{digits}s").value is None


def test_only_the_beginning_of_a_long_reply_is_read():
    assert len(plain("x" * (2 * LONGEST))) == LONGEST
    assert candidate_number("x" * LONGEST + " video 3").value is None


@pytest.mark.parametrize(
    "unit",
    [
        *("1", "1.", "5 ", "5 -", "5-5 ", "1:", "1m", "1'", "第", "一", "(", "\u0301"),
        *("video ", "video-", "not ", "answer ", "answer video 1 ", "videos 1 - 1"),
        *("start 5 end 6 ", "from ", "5s to "),
    ],
)
def test_hostile_replies_take_linear_time(unit):
    start = time.process_time()
    candidate_number(unit * LONGEST)
    span(unit * LONGEST)
    assert time.process_time() - start < 5
